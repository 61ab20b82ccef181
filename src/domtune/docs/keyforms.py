"""The forms of keys, in words."""

from __future__ import annotations

_KEYS = {
    "part": "one of the words that the parameter names",
    "#": "position in a list",
    "path": "path of a block device of the host",
    "@id": "id of one IOThread, a list of ids, or `all`",
    "@id#": "id of one NUMA cell of the guest, a list of ids, or `all`",
    "@cellid": "id of one NUMA cell of the guest, a list of ids, or `all`",
    "@name": "name of a timer",
}


def described(form: str) -> str:
    """Say what a key of this form is."""
    if form.startswith("?"):
        return "selector of a device"
    if form in _KEYS:
        return _KEYS[form]
    names = [name.strip("@*#") for name in form.split(",")]
    if len(names) > 1:
        return f"the fields {', '.join(f'`{name}`' for name in names)} of an item of a list"
    of = {"vcpu": "vCPU", "vcpus": "vCPUs", "iothread": "IOThread", "iothreads": "IOThreads"}.get(names[0], "")
    return f"set of {of}, kept as a set, or `all`" if form.endswith("*") else f"id of one {of}, a list of ids, or `all`"
