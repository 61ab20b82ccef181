"""Nodes of memory, huge pages, limits."""

from __future__ import annotations

from domtune.vocabulary.rule import AnyRule, Apart, InDomain, Is, Needs, Never, NotAbove, Once

_OUT = "take one of the two out"
_QEMU = ("qemu",)
_CGROUP = ("qemu", "ch")  # a container has a limit on memory by itself


_NODES: tuple[AnyRule, ...] = (
    Needs(
        "mode without nodes",
        "says how memory is taken from nodes, and no nodes are named",
        "add memory.numa.nodeset, or memory.numa.placement: auto",
        "virDomainNumatuneSet",
        what=Is("memory.numa.mode"),
        others=(
            Is("memory.numa.nodeset"),
            Is("memory.numa.placement", ("auto",)),
            Is("cpu.placement", ("auto",)),
        ),
    ),
    Needs(
        "static without nodes",
        "static placement needs the nodes",
        "add memory.numa.nodeset",
        "virDomainNumatuneSet",
        what=Is("memory.numa.placement", ("static",)),
        others=(Is("memory.numa.nodeset"),),
    ),
    Never(
        "nodes beside numad",
        "numad chooses the nodes, and libvirt drops the list",
        _OUT,
        "virDomainNumatuneSet",
        what=Is("memory.numa.nodeset"),
        beside=Is("memory.numa.placement", ("auto",)),
    ),
    Needs(
        "cell mode without nodes",
        "says how memory is taken from nodes, and no nodes are named for this cell",
        "add memory.numa.cell.nodeset with the same key",
        "virDomainNumatuneNodeParseXML",
        what=Is("memory.numa.cell.mode"),
        others=(Is("memory.numa.cell.nodeset"),),
    ),
    Never(
        "cell not restrictive",
        "every cell must be restrictive where the domain is",
        "say restrictive for the cell too, or another memory.numa.mode",
        "virDomainNumatuneNodeParseXML",
        what=Is("memory.numa.cell.mode", ("strict", "preferred", "interleave")),
        beside=Is("memory.numa.mode", ("restrictive",)),
    ),
    Needs(
        "cell without mode",
        "a cell without a mode is strict, and every cell must be restrictive where the domain is",
        "add memory.numa.cell.mode: restrictive with the same key",
        "virDomainNumatuneNodeParseXML",
        what=Is("memory.numa.cell.nodeset"),
        others=(
            Is("memory.numa.cell.mode"),
            Is("memory.numa.mode", ("strict", "preferred", "interleave"), or_nothing=True),
        ),
    ),
    Never(
        "cells beside numad",
        "where numad chooses the nodes, cells cannot have nodes of their own",
        _OUT,
        "virDomainNumatuneNodeParseXML",
        what=Is("memory.numa.cell.nodeset"),
        beside=Is("memory.numa.placement", ("auto",)),
    ),
    Never(
        "cells beside numad's CPUs",
        "where numad chooses the CPUs it chooses the nodes too, and cells cannot have nodes of their own",
        "add memory.numa.nodeset, or take one of the two out",
        "virDomainNumatuneNodeParseXML",
        what=Is("memory.numa.cell.nodeset"),
        beside=Is("cpu.placement", ("auto",)),
        unless=Is("memory.numa.nodeset"),
    ),
    InDomain(
        "nodes of a cell that is not there",
        "the definition has no such guest NUMA cell",
        "name another, or add the cell to the definition",
        "virDomainNumatuneNodeParseXML",
        param="memory.numa.cell.nodeset",
        has="guest NUMA cells",
        key=True,
    ),
)


_PAGES: tuple[AnyRule, ...] = (
    Needs(
        "pages without a size",
        "says which cells the pages are for, and not how large they are",
        "add size to the same item of the list",
        "virDomainHugepagesParseXML",
        what=Is("memory.backing.hugepages.nodeset"),
        others=(Is("memory.backing.hugepages.size"),),
    ),
    Once(
        "pages for all twice",
        "one size of pages for all cells is enough",
        "add nodeset to one of the two, or take it out",
        "virDomainDefMemtuneValidate",
        what="memory.backing.hugepages.size",
        without="memory.backing.hugepages.nodeset",
    ),
    Apart(
        "two pages for one cell",
        "a cell has pages of one size",
        "name each cell once",
        "virDomainDefMemtuneValidate",
        params=("memory.backing.hugepages.nodeset",),
        values=True,
    ),
    InDomain(
        "pages of a cell that is not there",
        "the definition has no such guest NUMA cell",
        "name another, add the cell to the definition, or leave nodeset out for all of the memory",
        "virDomainDefMemtuneValidate",
        param="memory.backing.hugepages.nodeset",
        has="guest NUMA cells",
    ),
    *(
        Never(
            f"{value} beside {pages.removeprefix('memory.backing.')}",
            why,
            _OUT,
            "qemuValidateDomainDefMemory",
            _QEMU,
            what=Is(param, (value,)),
            beside=Is(pages),
        )
        for pages in ("memory.backing.hugepages", "memory.backing.hugepages.size")
        for param, value, why in (
            ("memory.backing.allocation.mode", "ondemand", "huge pages are allocated at the start"),
            ("memory.backing.source", "anonymous", "huge pages are no anonymous memory"),
        )
    ),
)

_LIMITS: tuple[AnyRule, ...] = (
    NotAbove(
        "memory above memory and swap",
        "on cgroup v1 it counts memory and swap together, and may not be below memory.limit.hard",
        "raise it, or lower memory.limit.hard",
        "kernel: mem_cgroup_resize_max",
        ("qemu", "ch", "lxc"),
        1,
        low="memory.limit.hard",
        high="memory.limit.swap_hard",
    ),
    Needs(
        "swap limit alone",
        "on cgroup v1 it counts memory and swap together, and memory alone has no limit",
        "add memory.limit.hard",
        "kernel: mem_cgroup_resize_max",
        _CGROUP,
        1,
        what=Is("memory.limit.swap_hard", limiting=True),
        others=(Is("memory.limit.hard"),),
    ),
)


RULES: tuple[AnyRule, ...] = (*_NODES, *_PAGES, *_LIMITS)
