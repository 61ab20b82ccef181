"""One NIC of the guest: limits on its traffic, its driver, its buffers."""

from __future__ import annotations

from collections.abc import Mapping

from domtune.kinds import ON_OFF, Enum, Int, Kind, Rate
from domtune.vocabulary.calls import INTERFACE, UPDATE_DEVICE
from domtune.vocabulary.facts import Why, changed, created, facts, like, qemu_only, simulated
from domtune.vocabulary.model import Cannot, Class, Fact, Kept, On, Param, Reason, Source, Type

_MOST = 2**32 - 1
_RATE = Rate(1024, _MOST, 1, "0", left_out=True)
_AMOUNT = Rate(1024, _MOST, 1, "0", per_second=False, left_out=True)
_TAP = ("network", "bridge", "direct", "ethernet")
_SHAPED = On("@type", _TAP, "NICs of the types network, bridge, direct and ethernet")
_SHAPED_ON_LXC = On("@type", ("network", "bridge", "ethernet"), "NICs of the types network, bridge and ethernet")
_ON_NETWORK = On("@type", ("network",), "NICs of the type network")
_ON_TAP = On("@type", _TAP, "NICs that are a tap device of the host: network, bridge, direct and ethernet")
_WITH_QUEUES = On("@type", (*_TAP, "vhostuser", "vdpa"), "NICs that can have queues, which user has not")
_COALESCED = On("@type", ("network", "bridge"), "NICs of the types network and bridge")
_VIRTIO = On("model/@type", ("virtio", "virtio-transitional", "virtio-non-transitional"), "virtio NICs")
_MODULES = "needs htb, sfq and ingress in the kernel"
_FLOOR = "only on libvirt's own networks, routed or not forwarded, that have an inbound limit themselves"


def _bandwidth(way: str, word: str, kind: Kind, help_: str, example: str) -> Param:
    field = f"{way}.{word}"
    caveat = {"average": "", "floor": f"{_FLOOR}; "}.get(
        word, f"needs net.bandwidth.{way}.average beside it; "
    ) + _MODULES
    on = _ON_NETWORK if word == "floor" else _SHAPED
    lxc = Source.UNVERIFIED if word == "floor" else Source.READ
    honoured: dict[str, Fact] = {
        "qemu": changed(
            INTERFACE,
            field,
            Type.UINT,
            "qemuDomainSetInterfaceParameters; qemuDomainChangeNet",
            default="0",
            unset="0",
            only_on=(on,),
            caveat=caveat,
        ),
        "lxc": created(
            "virLXCProcessSetupInterfaces",
            source=lxc,
            only_on=(_ON_NETWORK if word == "floor" else _SHAPED_ON_LXC,),
        ),
        "test": simulated(INTERFACE, field, Type.UINT, default="0", unset="0", only_on=(on,)),
    }
    why: dict[str, Why] = {"xen": "Xen has one rate for each NIC, net.bandwidth.outbound.average"}
    if field == "outbound.average":
        honoured["xen"] = created("libxlMakeNic", meaning="the rate of Xen's vif, counted every 50 ms")
    return Param(
        f"net.bandwidth.{field}",
        f"devices/=interface[?net]/!bandwidth/!{way}/@{word}",
        kind,
        help_,
        example,
        facts(honoured, ignored="ch bhyve esx" + ("" if "xen" in honoured else " xen"), rejected="vz", why=why),
        family=f"net.bandwidth.{way}",
        protective="a limit on network traffic" if word in {"average", "peak"} else "",
    )


BANDWIDTH = tuple(
    _bandwidth(way, word, kind, help_.format(whose), example)
    for way, whose in (("inbound", "that the guest receives"), ("outbound", "that the guest sends"))
    for word, kind, help_, example in (
        ("average", _RATE, "Traffic {} in the long run.", "100 MiB/s"),
        ("peak", _RATE, "Traffic {} at most while it sends a burst.", "200 MiB/s"),
        ("burst", _AMOUNT, "Amount of traffic {} that may go at peak speed.", "10 MiB"),
        ("floor", _RATE, "Traffic {} that it always gets.", "10 MiB/s"),
    )
    if (way, word) != ("outbound", "floor")  # libvirt has none
)

_CH = "virCHMonitorBuildNetJson"
_EQUAL = "both directions must have the same size"
_RING = Int(1, _MOST, power_of_two=True)


def _attached(
    saved: Kept, source: Source = Source.READ, *, default: str | None = None, ch: Fact | None = None, on: On = _VIRTIO
) -> Mapping[str, Fact | Cannot]:
    """Return the places of what is fixed when the NIC is attached."""
    only_on = tuple(dict.fromkeys((_VIRTIO, on)))
    evidence = "qemuBuildNicDevProps; qemuDomainChangeNet; virDomainNetDefParseXMLDriver"
    qemu = created(evidence, source=source, saved=saved, default=default, only_on=only_on)
    if ch is None:
        return facts({"qemu": qemu, "test": like(qemu)}, ignored="lxc xen ch bhyve vz esx")
    return facts({"qemu": qemu, "ch": ch, "test": like(qemu)}, ignored="lxc xen bhyve vz esx")


def _switch(word: str, help_: str, example: str = "on") -> Param:
    """Declare a bit of the virtio device that the guest sees."""
    path, drivers = f"devices/=interface[?net]/driver/@{word}", _attached(Kept.FIXED)
    return Param(f"net.driver.{word}", path, ON_OFF, help_, example, drivers, cls=Class.GUEST_VISIBLE)


DRIVER = (
    Param(
        "net.driver.name",
        "devices/=interface[?net]{type!=hostdev}/driver/@name",
        Enum(("vhost", "qemu")),
        "Whether the host's kernel or QEMU itself moves the NIC's packets.",
        "vhost",
        _attached(Kept.YES, Source.LIVE, on=_ON_TAP),
    ),
    Param(
        "net.driver.txmode",
        "devices/=interface[?net]/driver/@txmode",
        Enum(("iothread", "timer")),
        "How QEMU itself sends packets: by a thread of its own or when a timer runs out.",
        "iothread",
        _attached(Kept.YES),
    ),
    Param(
        "net.driver.ioeventfd",
        "devices/=interface[?net]/driver/@ioeventfd",
        ON_OFF,
        "Whether the NIC's requests are taken up outside the vCPU's thread.",
        "on",
        _attached(Kept.YES),
    ),
    Param(
        "net.driver.queues",
        "devices/=interface[?net]/driver/@queues",
        Int(1, _MOST),
        "Pairs of queues of the NIC that the guest can use at once.",
        "4",
        _attached(Kept.FIXED, Source.LIVE, default="1", ch=created(_CH, default="1"), on=_WITH_QUEUES),
        cls=Class.GUEST_VISIBLE,
    ),
    Param(
        "net.driver.rx_queue_size",
        "devices/=interface[?net]/driver/@rx_queue_size",
        _RING,
        "Packets that fit into one queue of the NIC for receiving.",
        "1024",
        _attached(Kept.FIXED, ch=created(_CH, caveat=_EQUAL)),
        cls=Class.GUEST_VISIBLE,
    ),
    Param(
        "net.driver.tx_queue_size",
        "devices/=interface[?net]/driver/@tx_queue_size",
        _RING,
        "Packets that fit into one queue of the NIC for sending.",
        "1024",
        _attached(Kept.FIXED, ch=created(_CH, caveat=_EQUAL)),
        cls=Class.GUEST_VISIBLE,
    ),
    _switch("event_idx", "Whether guest and host save interrupts by looking at their ring positions.", "off"),
    Param(
        "net.driver.host_offloads",
        "devices/=interface[?net]/driver/+host",
        ON_OFF,
        "Work on packets that the guest may leave to the host.",
        "{tso4: off, mrg_rxbuf: off}",
        _attached(Kept.FIXED),
        parts=("@csum", "@gso", "@tso4", "@tso6", "@ecn", "@ufo", "@mrg_rxbuf"),
        cls=Class.GUEST_VISIBLE,
    ),
    Param(
        "net.driver.guest_offloads",
        "devices/=interface[?net]/driver/+guest",
        ON_OFF,
        "Work on packets that the host may leave to the guest.",
        "{tso4: off, tso6: off}",
        _attached(Kept.FIXED),
        parts=("@csum", "@tso4", "@tso6", "@ecn", "@ufo"),
        cls=Class.GUEST_VISIBLE,
    ),
    _switch("rss", "Whether packets are spread over the NIC's queues by what they carry."),
    _switch("rss_hash_report", "Whether the guest is told the number by which packets were spread."),
    _switch("packed", "Whether the NIC uses the packed form of virtio rings."),
    _switch("page_per_vq", "Whether each of the NIC's queues has a page for its notifications."),
)

BUFFERS = (
    Param(
        "net.sndbuf",
        "devices/=interface[?net]/+tune/!sndbuf/text()",
        Rate(1, _MOST, 1, "0", per_second=False),
        "Size of the host's buffer for packets that the guest sends.",
        "1600",
        qemu_only(
            created("qemuBuildHostNetProps; qemuDomainChangeNet", source=Source.LIVE, only_on=(_ON_TAP,)),
            vz=Reason.REJECTED,
        ),
    ),
    Param(
        "net.coalesce.rx_max_frames",
        "devices/=interface[?net]/!coalesce/!rx/!frames/@max",
        Int(1, _MOST),
        "Packets that the host gathers before it wakes the guest.",
        "16",
        qemu_only(
            changed(
                UPDATE_DEVICE,
                "",
                Type.PLAIN,
                "qemuValidateNetSupportsCoalesce; qemuDomainChangeNet",
                only_on=(_COALESCED,),
                caveat="to have none, the element is left out",
            )
        ),
    ),
)

ROWS = (*BANDWIDTH, *DRIVER, *BUFFERS)
