"""Values that do not go together: each is good by itself, and libvirt, the driver or the kernel refuses both.

Or takes them and drops one without a word, which is the same to who said it. Each rule was tried: the tests make
libvirt refuse what it forbids and take what it allows.
"""

from __future__ import annotations

from domtune.vocabulary.rule import AnyRule
from domtune.vocabulary.together import cpu, device, memory

RULES: tuple[AnyRule, ...] = (*cpu.RULES, *memory.RULES, *device.RULES)
