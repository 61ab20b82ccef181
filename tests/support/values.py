"""Random text for the data types of libvirt's schemas, with a taste for values that domains really hold."""

import string
from collections.abc import Callable
from random import Random
from uuid import UUID

from support.grammar import Data
from support.regex import strings

Maker = Callable[[Random], str]

_BOUNDS = {
    "short": (-(2**15), 2**15 - 1),
    "int": (-(2**31), 2**31 - 1),
    "long": (-(2**63), 2**63 - 1),
    "integer": (-(2**31), 2**31 - 1),
    "unsignedShort": (0, 2**16 - 1),
    "unsignedInt": (0, 2**32 - 1),
    "unsignedLong": (0, 2**64 - 1),
    "positiveInteger": (1, 2**31 - 1),
}
_NUMBER_PATTERNS = {None, "[0-9]+", "-?[0-9]+"}
_WORDS = (
    "gold", "web-3", "vm.example.org", "two words", "a & b", "<none>", 'say "yes"', "Grüße", "日本語", "0", "--", "50%",
)  # fmt: skip


def data(kind: Data, random: Random) -> str:
    """Make a value of a `data` pattern: its pattern, bounds, greatest length and exceptions hold."""
    params = dict(kind.params)
    pattern = params.pop("pattern", None)
    while True:
        if kind.type in _BOUNDS and pattern in _NUMBER_PATTERNS:
            made = _number(kind.type, params, random)
        elif pattern is not None:
            made = strings(pattern)(random)
        else:
            made = _OTHERS[kind.type](random)[: int(params.get("maxLength", 1000))]
        if made not in kind.excluded:
            return made


def text(random: Random) -> str:
    return random.choice(_WORDS)


def _number(kind: str, params: dict[str, str], random: Random) -> str:
    least, most = _BOUNDS[kind]
    least = max(least, int(params.get("minInclusive", least)))
    most = min(most, int(params.get("maxInclusive", most)))
    small = random.randint(0, 32)
    wanted = random.choice(
        [small, small, small * 1024, 2 ** random.randint(0, 40), least, most, 10 ** random.randint(0, 9)]
    )
    number = str(wanted if least <= wanted <= most else random.randint(least, most))
    return "0" + number if number.isdigit() and random.random() < 0.02 else number


def _cpuset(random: Random) -> str:
    return ",".join(_cpus(random) for _ in range(random.choice([1, 1, 1, 2, 3])))


def _cpus(random: Random) -> str:
    first = random.randrange(64)
    return random.choice([f"{first}", f"{first}-{first + random.randrange(8)}", f"^{first}"])


def _mac(random: Random) -> str:
    return "52:54:00:" + ":".join(f"{random.randrange(256):02x}" for _ in range(3))


def _path(random: Random) -> str:
    return random.choice(["/dev/", "/var/lib/", "/srv/vm/"]) + random.choice(["sda", "web-3.qcow2", "a b", "x&y"])


def _uuid(random: Random) -> str:
    made = UUID(int=random.getrandbits(128))
    return random.choice([str(made), str(made), made.hex])


def _disk(random: Random) -> str:
    return random.choice(["vd", "vd", "sd", "hd", "xvd"]) + random.choice(string.ascii_lowercase)


def _one_of(*choices: str) -> Maker:
    return lambda random: random.choice(choices)


_OTHERS: dict[str, Maker] = {
    "string": text,
    "NCName": _one_of("clean-traffic", "no-mac-spoofing", "_x.y"),
    "dateTime": _one_of("2031-04-09T15:51:00", "2030-01-01T00:00:00Z"),
}

# Defines of the schemas for which a realistic value says more than a random string of the same pattern.
DEFINES: dict[str, Maker] = {
    "UUID": _uuid,
    "absDirPath": _one_of("/", "/srv/share", "/srv/a b"),
    "absFilePath": _path,
    "countCPU": lambda random: str(random.randint(1, 64)),
    "cpuset": _cpuset,
    "cpuquota": _one_of("-1", "0", "25000", "100000", "17592186044415"),
    "diskTargetDev": _disk,
    "ipv4Addr": _one_of("192.0.2.1", "127.0.0.1"),
    "ipv6Addr": _one_of("::", "2001:db8::17"),
    "memoryKB": _one_of("1048576", "4194304", "2048"),
    "uniMacAddr": _mac,
    "unit": _one_of("b", "bytes", "k", "KB", "KiB", "kib", "M", "MB", "MiB", "G", "GiB", "T", "TiB", "EiB"),
    "vcpuid": lambda random: str(random.randrange(64)),
}
