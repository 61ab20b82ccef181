"""Bindings as documents: every rule of their grammar, and what matches what."""

import json
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domtune import tree
from domtune.bindings import _PATH, Binding, Match, Metadata, Policy, Subject, describe, matches, read, subject
from domtune.errors import Invalid
from domtune.layers import Scope

NOVA = "http://openstack.org/xmlns/libvirt/nova/1.1"
UUID = "5f0c7c5e-8f0e-4f5e-9d0f-6c1d2f1e3a77"
WEB = f"""\
<domain type='kvm'>
  <name>web-1</name>
  <uuid>{UUID.upper()}</uuid>
  <title>Web, first of two</title>
  <metadata>
    <nova:instance xmlns:nova="{NOVA}">
      <nova:flavor name="m1.large"><nova:memory>4096</nova:memory></nova:flavor>
      <other xmlns="urn:other"><colour> green </colour></other>
    </nova:instance>
    <site:tier xmlns:site="urn:site" class="gold">front</site:tier>
  </metadata>
</domain>
"""


def web(**place: str) -> Subject:
    return subject(tree.parse(WEB), **{"driver": "qemu", "host": "db1.example.org", **place})


def bound(text: str) -> Binding:
    (binding,) = read(dedent(text), "site.yaml")
    return binding


def why(match: str, **place: str) -> str:
    """Why a binding with this `match` holds for the web server, "" if it does not."""
    return matches(bound(f"- match: {match}\n  profiles: [p]"), web(**place))


# Reading


def test_an_entry_has_its_words() -> None:
    text = f"""\
    # by hand
    - scope: site
      match: {{name: [web*, mail], uuid: {UUID.upper()}, title: Web*, driver: [qemu, xen], host: db*}}
      profiles: [latency, disks.yaml]
      policy: report
    """
    match = Match(("web*", "mail"), (UUID,), ("Web*",), ("qemu", "xen"), ("db*",))
    expected = Binding(Scope.SITE, match, ("latency", "disks.yaml"), Policy.REPORT, "site.yaml", 2)
    assert expected == bound(text)
    assert "site.yaml:2" == expected.origin


def test_metadata_is_a_map_or_a_list_of_maps() -> None:
    one = {"namespace": "urn:a", "path": "b/@c", "value": "d*"}
    for shape in (one, [one]):
        assert (Metadata("urn:a", "b/@c", "d*"),) == bound(
            f"- {{match: {{metadata: {shape}}}, profiles: p}}"
        ).match.metadata


def test_one_profile_needs_no_list() -> None:
    assert ("latency",) == bound("- profiles: latency").profiles


@pytest.mark.parametrize("text", ["", "# all of it is commented out\n", "[]\n"])
def test_a_file_may_bind_nothing(text: str) -> None:
    assert [] == read(text, "site.yaml")


@pytest.mark.parametrize(
    ("match", "scope"),
    [
        ("{name: web}", "domain"),
        (f"{{uuid: {UUID}}}", "domain"),
        ("{title: Web}", "domain"),
        ("{metadata: {namespace: 'urn:a'}}", "domain"),
        ("{driver: qemu}", "hypervisor"),
        ("{host: db1}", "host"),
        ("{host: db1, driver: qemu}", "hypervisor"),
        ("{driver: qemu, name: web}", "domain"),
        ("{}", "site"),
    ],
)
def test_a_scope_that_is_not_said_is_that_of_the_narrowest_word(match: str, scope: str) -> None:
    assert scope == bound(f"- match: {match}\n  profiles: [p]").scope


def test_without_match_the_scope_is_the_site() -> None:
    assert (Scope.SITE, Match()) == ((binding := bound("- profiles: [p]")).scope, binding.match)


@pytest.mark.parametrize("scope", ["shipped", "site", "host", "hypervisor", "domain"])
def test_a_scope_that_is_said_counts_whatever_matches(scope: str) -> None:
    assert scope == bound(f"- scope: {scope}\n  match: {{name: web}}\n  profiles: [p]").scope


SCOPES = "shipped, site, host, hypervisor, domain"
WORDS = "scope, match, profiles, policy"
MATCH_WORDS = "name, uuid, title, driver, host, metadata"
EMPTY = "the list is empty and matches nothing; leave it out or fill it"
TEXTS = "must be a text, or a list of texts of which any may match"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("scope: site", "1: not bindings: it must be a list; begin each entry with `- `"),
        ("latency", "1: not bindings: it must be a list; begin each entry with `- `"),
        ("- latency", f"1: a binding: must be a map of {WORDS}"),
        ("- profile: p\n  profiles: p", f"1: profile: no word of a binding; the words are {WORDS}"),
        ("- match: {}", "1: profiles: missing; name those that hold"),
        ("- profiles: []", f"1: profiles: {EMPTY}"),
        ("- profiles: {a: b}", "1: profiles: must be a list of names and paths of profiles"),
        ("- profiles:\n    - [a]", "2: profiles: must be a list of names and paths of profiles"),
        ("- profiles: ['']", "1: profiles: must be a list of names and paths of profiles"),
        ("- profiles: [a, b,\n    a]", "2: profiles: a: named twice; keep one"),
        ("- profiles: ['-']", "1: profiles: standard input cannot be bound; give a name or a path"),
        ("- profiles: p\n  scope: Site", f"2: scope: 'Site' is none of {SCOPES}"),
        ("- profiles: p\n  scope: [site]", f"2: scope: what is no text is none of {SCOPES}"),
        (
            "- profiles: p\n  scope: stored definition",
            f"2: scope: nothing can be bound to the stored definition; say one of {SCOPES}",
        ),
        (
            "- profiles: p\n  scope: command line",
            f"2: scope: nothing can be bound to the command line; say one of {SCOPES}",
        ),
        ("- profiles: p\n  policy: maybe", "2: policy: 'maybe' is none of enforce, report, off"),
        ("- profiles: p\n  policy: {}", "2: policy: what is no text is none of enforce, report, off"),
        ("- profiles: p\n  match: web", f"2: match: must be a map of {MATCH_WORDS}"),
        (
            "- profiles: p\n  match: {domain: web}",
            f"2: match.domain: no word of match; the words are {MATCH_WORDS}",
        ),
        ("- profiles: p\n  match: {name: []}", f"2: match.name: {EMPTY}"),
        ("- profiles: p\n  match: {name: {a: b}}", f"2: match.name: {TEXTS}"),
        ("- profiles: p\n  match: {title: ''}", f"2: match.title: {TEXTS}"),
        ("- profiles: p\n  match: {host: [[a]]}", f"2: match.host: {TEXTS}"),
        ("- profiles: p\n  match: {uuid: web}", "2: match.uuid: 'web' is no UUID; `virsh domuuid NAME` prints it"),
        ("- profiles: p\n  match: {driver: qmeu}", "2: match.driver: 'qmeu' is no driver; did you mean qemu?"),
        (
            "- profiles: p\n  match: {driver: vmware}",
            "2: match.driver: 'vmware' is no driver; did you mean esx?",
        ),
        (
            "- profiles: p\n  match: {driver: openstack}",
            "2: match.driver: 'openstack' is no driver; the drivers are qemu, lxc, xen, test, ch, bhyve, vz, esx",
        ),
        (
            "- profiles: p\n  match: {name: '[z-a]*'}",
            "2: match.name: '[z-a]*' has z-a, which runs backwards",
        ),
        (
            "- profiles: p\n  match: {host: 'web[1'}",
            "2: match.host: 'web[1' has a [ without a ]; for the letter itself say [[]",
        ),
        (
            "- profiles: p\n  match: {metadata: {namespace: 'urn:a', value: '[b'}}",
            "2: match.metadata.value: '[b' has a [ without a ]; for the letter itself say [[]",
        ),
        (
            "- profiles: p\n  match: {metadata: {namespace: '{urn:a}'}}",
            "2: match.metadata.namespace: '{urn:a}' is no URI; give it as xmlns does, without braces",
        ),
        (
            "- profiles: p\n  match: {metadata: flavor}",
            "2: match.metadata: must be a map of namespace, path, value",
        ),
        ("- profiles: p\n  match: {metadata: []}", f"2: match.metadata: {EMPTY}"),
        (
            "- profiles: p\n  match: {metadata: {namespace: 'urn:a', name: b}}",
            "2: match.metadata.name: no word of match.metadata; the words are namespace, path, value",
        ),
        (
            "- profiles: p\n  match: {metadata: {path: a}}",
            "2: match.metadata: the namespace is missing; give the URI behind xmlns",
        ),
        (
            "- profiles: p\n  match: {metadata: {namespace: 'urn:a', value: [b]}}",
            "2: match.metadata.value: must be a text",
        ),
        (
            "- profiles: p\n  match: {metadata: {namespace: 'urn:a', path: /a}}",
            "2: match.metadata.path: '/a' is no path; name elements and at last an attribute, as in flavor/@name",
        ),
        ("- profiles: ~", "1: profiles: no value; give one, or leave the line out"),
        ("- profiles: &a [p]", "1: profiles: anchor &a: anchors are not read; repeat the value"),
        ("- profiles: p\n  profiles: q", "2: profiles: said before in line 1; keep one"),
    ],
)
def test_a_fault_has_its_line_and_a_way_out(text: str, problem: str) -> None:
    with pytest.raises(Invalid) as caught:
        read(text, "site.yaml")
    assert (f"site.yaml:{problem}",) == caught.value.problems


@pytest.mark.parametrize("path", ["a//b", "a/", "@a/b", "a/@", "1a", "a[1]", "{urn:x}a", "../a", "*", "@", "a b"])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(Invalid, match=r"^site.yaml:1: match.metadata.path: .* is no path; "):
        read(f"- {{match: {{metadata: {{namespace: 'urn:a', path: '{path}'}}}}, profiles: p}}", "site.yaml")


def test_all_faults_are_said_at_once() -> None:
    text = "- match: {name: [], driver: kvm}\n- {policy: no, profiles: [a, a]}\n- x\n"
    with pytest.raises(Invalid) as caught:
        read(text, "site.yaml")
    lines = [problem.split(": ")[0] + " " + problem.split(": ")[1] for problem in caught.value.problems]
    assert [
        "site.yaml:1 match.name",
        "site.yaml:1 match.driver",
        "site.yaml:1 profiles",
        "site.yaml:2 policy",
        "site.yaml:2 profiles",
        "site.yaml:3 a binding",
    ] == lines


# Matching


@pytest.mark.parametrize(
    ("match", "reason"),
    [
        ("{}", "every domain"),
        ("{name: web-1}", "name is web-1"),
        ("{name: web*}", "name web-1 matches web*"),
        ("{name: [mail, 'web-[0-9]']}", "name web-1 matches web-[0-9]"),
        ("{name: WEB*}", ""),
        ("{name: web}", ""),
        (f"{{uuid: {UUID}}}", f"UUID is {UUID}"),
        (f"{{uuid: [{UUID[:-1]}0, '{{{UUID.upper()}}}']}}", f"UUID is {UUID}"),
        (f"{{uuid: {UUID.replace('-', '')}}}", f"UUID is {UUID}"),
        (f"{{uuid: {UUID[:-1]}0}}", ""),
        ("{title: 'Web*'}", "title Web, first of two matches Web*"),
        ("{title: first}", ""),
        ("{driver: [xen, qemu]}", "driver is qemu"),
        ("{driver: lxc}", ""),
        ("{host: db1.example.org}", "host is db1.example.org"),
        ("{host: DB*}", "host db1.example.org matches db*"),
        ("{host: db1}", ""),
        ("{name: web*, driver: qemu}", "name web-1 matches web*, driver is qemu"),
        ("{name: web*, driver: xen}", ""),
    ],
)
def test_all_words_must_match_and_of_a_list_any(match: str, reason: str) -> None:
    assert reason == why(match)


@pytest.mark.parametrize(
    ("match", "reason"),
    [
        (f"{{namespace: '{NOVA}'}}", f"metadata {NOVA} is there"),
        (f"{{namespace: '{NOVA}', path: flavor/@name}}", f"metadata {NOVA} flavor/@name is there"),
        (
            f"{{namespace: '{NOVA}', path: flavor/@name, value: m1.*}}",
            f"metadata {NOVA} flavor/@name m1.large matches m1.*",
        ),
        (
            f"{{namespace: '{NOVA}', path: flavor/memory, value: '4096'}}",
            f"metadata {NOVA} flavor/memory is 4096",
        ),
        (f"{{namespace: '{NOVA}', path: other/colour, value: green}}", f"metadata {NOVA} other/colour is green"),
        (f"{{namespace: '{NOVA}', path: flavor/@name, value: m2.*}}", ""),
        (f"{{namespace: '{NOVA}', path: flavor/@id}}", ""),
        (f"{{namespace: '{NOVA}', path: memory}}", ""),
        ("{namespace: 'urn:site', value: front}", "metadata urn:site is front"),
        ("{namespace: 'urn:site', path: '@class', value: gold}", "metadata urn:site @class is gold"),
        ("{namespace: 'urn:nobody'}", ""),
        ("{namespace: '*'}", ""),
        ("[{namespace: 'urn:nobody'}, {namespace: 'urn:site'}]", "metadata urn:site is there"),
    ],
)
def test_metadata_is_matched_below_the_elements_of_its_namespace(match: str, reason: str) -> None:
    assert reason == why(f"{{metadata: {match}}}")


def test_a_host_is_matched_by_uuid_too() -> None:
    assert f"host UUID is {UUID}" == why(f"{{host: {UUID.upper()}}}", host_uuid=UUID)
    assert "" == why(f"{{host: {UUID}}}")


def test_only_a_uuid_of_a_host_asks_for_it() -> None:
    assert bound(f"- {{match: {{host: [db1, {UUID}]}}, profiles: p}}").asks_for_host_uuid
    assert not bound("- {match: {host: db1}, profiles: p}").asks_for_host_uuid


def test_a_domain_that_says_little_is_matched_all_the_same() -> None:
    bare = subject(tree.parse("<domain><name>bare</name></domain>"))
    for match in ("{title: x}", f"{{uuid: {UUID}}}", "{metadata: {namespace: 'urn:a'}}", "{driver: qemu}"):
        assert "" == matches(bound(f"- match: {match}\n  profiles: p"), bare)
    assert "name is bare" == matches(bound("- {match: {name: bare}, profiles: p}"), bare)


def test_a_pattern_that_tries_all_ways_is_no_bomb() -> None:
    pattern = "*a" * 40
    assert "" == matches(bound(f"- match: {{name: '{pattern}'}}\n  profiles: p"), Subject("a" * 39 + "b"))


def test_what_a_binding_asks_for_is_said_in_words() -> None:
    text = "- {match: {name: [a, b*], driver: qemu, metadata: {namespace: 'urn:a', path: b/@c}}, profiles: p}"
    assert "name a or b*, driver qemu, metadata urn:a b/@c" == describe(bound(text).match)
    assert "every domain" == describe(Match())


# Whatever is written

WRITTEN = st.sampled_from(
    [
        *WORDS.split(", "),
        *MATCH_WORDS.split(", "),
        *SCOPES.split(", "),
        "namespace",
        "path",
        "value",
        "off",
        "qemu",
        NOVA,
    ]
) | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=12)
DOCUMENTS = st.recursive(
    WRITTEN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WRITTEN, inner, max_size=4), max_leaves=20
)


ENTRIES = st.lists(st.dictionaries(st.sampled_from(WORDS.split(", ")), DOCUMENTS))


def faults(text: str) -> tuple[str, ...]:
    try:
        assert all(each.profiles for each in read(text, "site.yaml"))
    except Invalid as error:
        return error.problems
    return ()


@given(document=DOCUMENTS | ENTRIES)
def test_whatever_is_written_is_read_or_named_with_its_line(document: object) -> None:
    found = faults(json.dumps(document, ensure_ascii=False))
    assert all(problem.startswith("site.yaml:1: ") for problem in found)


@given(namespace=WRITTEN, path=st.from_regex(_PATH, fullmatch=True) | st.just(""), value=WRITTEN)
def test_whatever_is_asked_of_metadata_has_an_answer(namespace: str, path: str, value: str) -> None:
    asked = Binding(Scope.DOMAIN, Match(name=(value,), metadata=(Metadata(namespace, path, value),)), ("p",))
    assert matches(asked, web()) == ""
    assert describe(asked.match)
