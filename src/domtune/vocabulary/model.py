"""The shape of the vocabulary: what one row says about one parameter, and what one driver makes of it.

A row (`Param`) is declared once, as data, in the modules beside this one. Everything else - split, merge, profiles,
starting, the reference pages - reads the rows. Prose is for people: nothing branches on help, caveats or evidence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Self

from domtune.kinds import Kind
from domtune.vocabulary.path import Path

DRIVERS = ("qemu", "lxc", "xen", "test", "ch", "bhyve", "vz", "esx")


class Class(StrEnum):
    """What kind of wish a row is."""

    TUNING = "tuning"  # only affects how fast the domain runs
    GUEST_VISIBLE = "guest-visible"  # meant for speed, but the guest sees it: stays in the definition unless asked for
    MEASUREMENT = "measurement"  # costs something and shows something; no wish about speed


class Needs(StrEnum):
    """What else must leave or stay with a row, since the domain may not start, or not be safe, without."""

    IOTHREADS = "iothreads"  # refers to an IOThread, or declares one: all leave together
    MEMLOCK = "memlock"  # stays with hostdev, vDPA and NVMe devices, whose memory is locked
    SHARED_ACCESS = "shared-access"  # says that memory is shared: stays while a vhost-user or virtiofs device needs it
    SHARED_SOURCE = "shared-source"  # what shared memory is made of: stays while memory is shared
    SHARED_PAGES = "shared-pages"  # huge pages can be what shared memory is made of
    ALL_MEMORY = "all-memory"  # stays where it says no more than <memory> does: libvirt adds it by itself
    VCPU_LIST = "vcpu-list"  # stays beside <vcpus>, off which libvirt reads it again
    REMAPPING = "remapping"  # stays with an IOMMU that remaps interrupts, which libvirt takes only so


class Reason(StrEnum):
    """What a driver does with a row that it does not honour."""

    IGNORED = "ignored"  # accepts it, keeps it in the XML, does nothing
    REJECTED = "rejected"  # refuses the document or the start
    NO_API = "no API"  # there is no way to say it to this driver


class Source(StrEnum):
    """How a fact is known."""

    LIVE = "seen live"
    READ = "read in the source"  # for ch, bhyve, vz and esx always: read, not run
    UNVERIFIED = "unverified"


class Read(StrEnum):
    """Where the true value of a running domain is read."""

    XML = "xml"  # the live XML
    GETTER = "getter"  # the getter beside the setter
    STATS = "stats"  # virConnectGetAllDomainStats
    NOWHERE = "nowhere"  # libvirt shows it nowhere: only the kernel or the hypervisor's own tools do


class When(StrEnum):
    """When a value may be read."""

    ALWAYS = "always"
    RUNNING = "running"  # asking while the domain is off fails, or kills the daemon (LXC scheduler parameters)


class Kept(StrEnum):
    """What becomes of a value when a saved domain is restored, or the definition of the image rewritten."""

    YES = "yes"  # in the image's definition, which can be rewritten before the restore
    NO = "no"  # lost: it must be applied again
    FIXED = "fixed"  # part of the saved machine: rewriting the image's definition does not change it


class Type(Enum):
    """Typed-parameter types of libvirt (VIR_TYPED_PARAM_*), by the name in libvirt-api.xml."""

    INT = "VIR_TYPED_PARAM_INT"
    UINT = "VIR_TYPED_PARAM_UINT"
    LLONG = "VIR_TYPED_PARAM_LLONG"
    ULLONG = "VIR_TYPED_PARAM_ULLONG"
    BOOLEAN = "VIR_TYPED_PARAM_BOOLEAN"
    STRING = "VIR_TYPED_PARAM_STRING"
    PLAIN = ""  # an argument of the function, not a typed parameter


class Flags(StrEnum):
    """Which flags a driver takes for a live change."""

    LIVE = "live"  # VIR_DOMAIN_AFFECT_LIVE, and _CONFIG, alone or together
    NONE = "none"  # only 0; VIR_DOMAIN_AFFECT_LIVE is an error
    EXPLICIT = "explicit"  # 0 is an error: LIVE or CONFIG must be said
    LIVE_ONLY = "live-only"  # LIVE; CONFIG is an error


@dataclass(frozen=True, slots=True)
class Call:
    """One setter of libvirt and the getter beside it, by their names in the C API."""

    set: str
    get: str | None
    takes: str = "domain"  # what a call is made for besides the domain: "vcpu", "iothread", "disk", "net"
    group: str = ""  # settings of one group go out in one call
    remove: str = ""  # the function that takes away what `set` adds; "" where `set` itself can


@dataclass(frozen=True, slots=True)
class Gate:
    """A row is honoured only while another row has one of these values (None: is absent)."""

    param: str
    values: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class On:
    """A row is honoured only on devices that say one of these words."""

    path: str  # below the device: "@type", "model/@type"; the name of an element alone says "yes" or "no"
    words: tuple[str, ...]
    what: str  # these devices, in the plural: "virtio disks"
    unsaid: bool = True  # whether a device that does not say it may be one: libvirt chooses


@dataclass(frozen=True, slots=True)
class Live:
    """How a row is changed on a running domain."""

    call: Call
    field: str  # of the typed parameter, as libvirt-api.xml names it by its macro; "" for a plain argument
    type: Type
    flags: Flags = Flags.LIVE
    rank: int = 50  # lower goes first, where order matters
    gate: Gate | None = None
    paused: bool = True  # whether it works on a domain whose CPUs are stopped


@dataclass(frozen=True, slots=True)
class Kernel:
    """The file below the cgroup, or the property of a thread, that shows the value on this host."""

    v1: str = ""
    v2: str = ""
    of: str = "domain"  # "domain", "vcpu", "emulator", "iothread": which cgroup or thread
    thread: str = ""  # "affinity", "policy", "priority", "memlock"


@dataclass(frozen=True, slots=True)
class Fact:
    """What one driver makes of one row."""

    at_create: bool = True  # honoured in the XML that the domain is created from
    live: Live | None = None
    saved: Kept = Kept.YES
    read: Read = Read.XML
    when: When = When.ALWAYS
    default: str | None = None  # the value that holds when nothing is said
    unset: str | None = None  # what is written on a running domain to have none
    kernel: Kernel | None = None
    privileged: bool = False  # not honoured by a daemon without privileges, though no cgroup file shows it
    cgroup_while: Gate | None = None  # needs a cgroup only while another row has one of these values
    meaning: str = ""  # of what the number speaks, where drivers differ: "each vCPU", "the whole container"
    since: str = ""  # first libvirt that does this; "" for every version that domtune runs on
    accepts: tuple[str, ...] | None = None  # only these values are honoured by this driver
    only_on: tuple[On, ...] = ()  # on other devices it is not honoured, or refused
    gate_at_create: Gate | None = None  # honoured at creation only while another row has one of these values
    caveat: str = ""
    source: Source = Source.READ
    evidence: str = ""  # where it was read or seen

    @property
    def in_session(self) -> bool:
        """Whether a session daemon honours it: it has no privileges, hence no cgroups."""
        only_cgroup = self.kernel is not None and bool(self.kernel.v1) and not self.kernel.thread
        return not self.privileged and not only_cgroup


@dataclass(frozen=True, slots=True)
class Cannot:
    """Why one driver does not honour one row."""

    how: Reason
    why: str
    source: Source = Source.READ


@dataclass(frozen=True, slots=True, eq=False)
class Param:
    """One exact libvirt knob."""

    name: str
    path: str | None  # below /domain, in the notation of `domtune.vocabulary.path`; None: in no XML
    kind: Kind
    help: str  # one sentence
    example: str  # as a profile says it
    drivers: Mapping[str, Fact | Cannot]  # every driver of `DRIVERS` has its place
    keyed: str = ""  # the form of the key of a row that stands in no XML: "@iothread"
    parts: tuple[str, ...] = ()  # the row speaks of several attributes or children; the name of each is a key
    kinds: Mapping[str, Kind] = field(default_factory=dict)  # of a part, where it differs from `kind`
    cls: Class = Class.TUNING
    family: str = ""  # rows of one family are taken out and put back as a whole, for one device or key
    needs: Needs | None = None
    protective: str = ""  # what is no longer guarded against when the row is left out
    host_bound: bool = False  # the value names CPUs, nodes or devices of one host
    implied: tuple[str, ...] = ()  # what libvirt adds by itself: nobody's wish, stays in the definition
    absent: str = ""  # the element of the definition whose number holds, and is not said again, where the row is absent
    stays: str = ""  # why split never takes it out, whatever is asked for
    paths: tuple[Path, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Read the path notation once."""
        paths = () if self.path is None else tuple(Path.read(self.path, part) for part in self.parts or ("",))
        object.__setattr__(self, "paths", paths)

    def __copy__(self) -> Self:
        """A row is one object: what copies a setting must not copy its row."""
        return self

    def __deepcopy__(self, _: object) -> Self:
        """The same."""
        return self

    def kind_of(self, keys: tuple[str, ...]) -> Kind:
        """Return the kind of the value under these keys."""
        return self.kinds.get(keys[-1], self.kind) if self.kinds and keys else self.kind

    def fact(self, driver: str) -> Fact | None:
        """Return what `driver` makes of the row, or None if it does not honour it."""
        found = self.drivers[driver]
        return found if isinstance(found, Fact) else None

    @property
    def key_forms(self) -> tuple[str, ...]:
        """The forms of the keys that a value of this row stands under, the device's selector first."""
        if not self.paths:
            return (self.keyed,) if self.keyed else ()
        return tuple(step.key for step in self.paths[0].key_steps) + (("part",) if self.parts else ())

    @property
    def device(self) -> str:
        """The word of the name that takes a selector: ``disk``, ``net``, ``memory.device``; or ""."""
        return next((step.key[1:] for path in self.paths for step in path.steps if step.key.startswith("?")), "")
