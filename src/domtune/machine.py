"""The host of a connection as frozen data: asked of libvirt, and for cgroups of the kernel where it is this host."""

from __future__ import annotations

from domtune import host, kernel
from domtune.connection import Connection, Domain
from domtune.errors import Error
from domtune.host import UNKNOWN, Host
from domtune.vocabulary import PARAMS
from domtune.vocabulary.model import When

# What a running domain without a limit reads as its quota (vircgroupv1.c, vircgroupv2.c).
_ENDLESS = {-1: 1, 17592186044415: 2}


def host_of(connection: Connection) -> Host:
    """Return what is known of the host that the domains of a connection run on."""
    cgroup = cgroup_of(connection) or _told_by_domains(connection)
    return host.read(
        connection.capabilities(), connection.host_cpus(), cgroup=cgroup, mhz=connection.cpu_mhz(), name=connection.host
    )


def cgroup_of(connection: Connection) -> int:
    """Return the version of cgroups that its domains are in, as far as this host can say; a session's are in none."""
    return kernel.cgroup_version() if connection.is_local and not connection.is_session else UNKNOWN


def _told_by_domains(connection: Connection) -> int:
    """Return the version of cgroups of a host whose files cannot be read, by how its domains say "no limit"."""
    shares = PARAMS["cpu.shares"].fact(connection.driver.name)
    if connection.is_session or shares is None or shares.kernel is None or not shares.kernel.v2:
        return UNKNOWN
    if shares.when is When.RUNNING:  # one that ends in between would be asked while it is off
        return UNKNOWN
    running = (domain for domain in connection.domains() if domain.is_active)
    return next(filter(None, (_told_by(domain) for domain in running)), UNKNOWN)


def _told_by(domain: Domain) -> int:
    try:
        said = domain.read("schedulerParametersFlags")
    except Error:  # it ended meanwhile, or its driver has no such call
        return UNKNOWN
    return _ENDLESS.get(said.get("vcpu_quota"), UNKNOWN)
