"""A hand-tuned domain on libvirt's test driver, and its takeover."""

from domtune import catalogue, profile, takeover
from domtune.connection import Domain
from domtune.domain import split
from domtune.take import Choice
from domtune.takeover import Taking

TUNED = """\
<domain type='test'>
  <name>web</name>
  <memory>65536</memory>
  <vcpu>2</vcpu>
  <cputune><shares>2048</shares><vcpupin vcpu='0' cpuset='0'/><vcpupin vcpu='1' cpuset='2'/></cputune>
  <os><type>hvm</type></os>
  <devices><graphics type='vnc' passwd='sesame'/></devices>
</domain>
"""


def taking(domain: Domain, out: str | None = None, *, force: bool = False) -> Taking:
    before = domain.stored_xml()
    parts = split(before)
    text = profile.write(profile.named("web", parts.tuning))
    return Taking(
        before, parts.definition, parts.tuning, Choice(), text, takeover.shelf(domain, text, out, force=force)
    )


def state(domain: Domain) -> tuple[bool, bool, tuple[str, ...]]:
    """Whether the stored definition is tuned, whether its profile is there, and what is bound to it."""
    own = catalogue.places()[0] / "web.yaml"
    return "<shares>" in domain.stored_xml(), own.exists(), takeover.bound(domain)
