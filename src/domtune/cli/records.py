"""What results are made of: each record of --json, declared once."""

from __future__ import annotations

from domtune import errors
from domtune.bindings import SCOPES, Policy
from domtune.cli.fields import (
    TEXT,
    TEXT_OR_NULL,
    TRUTH,
    Field,
    Record,
    many,
    one_of,
    table,
)
from domtune.layers import Scope
from domtune.run import Mode
from domtune.tuning import Place
from domtune.vocabulary.drivers import DRIVERS
from domtune.vocabulary.model import Class, Reason

ERRORS = {
    name: each
    for name, each in vars(errors).items()
    if isinstance(each, type) and issubclass(each, errors.Error) and each is not errors.Error
}
WORDS = {
    "live": "honoured at creation, and can change on a running domain",
    "create": "honoured at creation only: a change waits for the next start",
    "live only": "stands in no domain XML that the driver reads; set on the running domain at each start",
    "stored": "kept and shown, nothing is enforced",
    str(Reason.IGNORED): "accepted, kept in the XML, never read: libvirt reports success and nothing happens",
    str(Reason.REJECTED): "the driver refuses the document or the start",
    str(Reason.NO_API): "there is no way to say it to this driver",
}
ERROR = Record(
    "error",
    "When a command cannot do its work, it prints this instead of a result and exits with 1 (130 when interrupted).",
    (
        Field("error", one_of(ERRORS), "what kind of error it is; [errors.md](errors.md) says what each means"),
        Field("problems", many(TEXT), "one line for each fault"),
    ),
)
SETTING = Record(
    "setting",
    "One value of one parameter.",
    (
        Field("parameter", TEXT, "name of the parameter, without keys"),
        Field("keys", many(TEXT), "the selector and keys, as text; empty where there are none"),
        Field("name", TEXT, "name with selector and keys in it: `cpu.vcpu.pin[0]`"),
        Field("value", TEXT, "the value as a profile says it"),
        Field("text", TEXT, "the value as the domain XML has it"),
        Field("unit", TEXT_OR_NULL, "the unit beside it in the XML, or null"),
        Field("origin", TEXT, "file and line that it came from"),
        Field("wish", TEXT, "name and value of the portable wish that it comes of; empty where there is none"),
        Field("demanded", TRUTH, "whether nothing may start where it cannot be done"),
    ),
)
NOT_DONE = Record(
    "not-done",
    "A setting, or a portable wish, that was not met.",
    (*SETTING.fields, Field("reason", TEXT, "why this driver, daemon or host cannot do it")),
)
PIECE = Record(
    "piece",
    "What no parameter can say.",
    (
        Field("place", one_of(Place), "where it belongs, seen from `path`"),
        Field("path", TEXT, "an element of the complete document"),
        Field("xml", TEXT, "an element, comment or processing instruction"),
        Field("text", TEXT, "stray text"),
        Field("attributes", table(TEXT, TEXT), "attributes of the element at `path`"),
        Field("keys", many(TEXT), "order of elements, for `order`"),
    ),
)
TUNING = Record(
    "tuning",
    "How a domain should run.",
    (
        Field("settings", many(SETTING.type), "each parameter that is set"),
        Field("verbatim", many(PIECE.type), "what no parameter can say"),
    ),
)
STARTED = Record(
    "started",
    "The start of one domain.",
    (
        Field("domain", TEXT, "its name"),
        Field("uuid", TEXT, "its UUID"),
        Field("mode", one_of(Mode), "how it was started"),
        Field("paused", TRUTH, "whether its CPUs were left stopped"),
        Field("at_creation", many(SETTING.type), "what stood in the XML"),
        Field("afterwards", many(SETTING.type), "what was set on the running domain"),
        Field("waited", TRUTH, "whether that was before the guest ran"),
        Field("enforced", TRUTH, "whether the driver acts on values; libvirt's test driver only stores them"),
        Field("not_done", many(NOT_DONE.type), "what could not be done"),
        Field("pending", many(NOT_DONE.type), "what cannot change in the saved image"),
        Field("left_out", many(SETTING.type), "what guards something and was left out by a minimal start"),
        Field("notes", many(TEXT), "what else is to be known, one sentence each"),
    ),
)
FAILURE = Record(
    "failure",
    "A domain for which it could not be done.",
    (Field("domain", TEXT, "the domain as it was given"), *ERROR.fields),
)
BOUND = Record(
    "bound",
    "What one domain is bound to after a change.",
    (
        Field("domain", TEXT, "its name; as it was given when there is no such domain any more"),
        Field("uuid", TEXT, "its UUID"),
        Field("profiles", many(TEXT), "the profiles that it is bound to there now"),
        Field("changed", many(TEXT), "those of them that were put there, or those that were taken off"),
        Field("place", TEXT, "the file, or the domain's metadata"),
    ),
)
_BINDING = (
    Field("scope", one_of(SCOPES), "how wide it holds"),
    Field("profiles", many(TEXT), "the profiles, in their order: the later wins"),
    Field("origin", TEXT, "file and line that it came from, or the domain's metadata"),
    Field("policy", one_of(Policy), "whether domtune keeps it so, only reports, or neither"),
)
HELD = Record(
    "held",
    "A binding that holds for a domain.",
    (
        Field("domain", TEXT, "the domain's name"),
        Field("uuid", TEXT, "its UUID"),
        *_BINDING,
        Field("why", TEXT, "why it holds for this domain"),
    ),
)
ENTRY = Record(
    "entry",
    "A binding as a file says it.",
    (*_BINDING, Field("match", TEXT, "what it asks for, in words")),
)
HONOURED = Record(
    "honoured",
    "What one driver makes of a parameter.",
    (
        Field("word", one_of(WORDS), "the driver's part in one word"),
        Field("says", TEXT, "the same as a sentence"),
        Field("known", TEXT, "how that is known"),
    ),
)
PARAMETER = Record(
    "parameter",
    "One parameter.",
    (
        Field("name", TEXT, "its name"),
        Field("class", one_of(Class), "what kind of wish it is"),
        Field("help", TEXT, "one sentence"),
        Field("kind", TEXT, "kind of the value"),
        Field("value", TEXT, "range and unit in words"),
        Field("example", TEXT, "a line of a profile"),
        Field("xpath", many(TEXT), "its places in the domain XML; empty where it stands in none"),
        Field("host_bound", TRUTH, "whether the value is true for one host only"),
        Field("protective", TEXT, "what is no longer guarded against without it; empty where nothing is"),
        Field("drivers", table(one_of(DRIVERS), HONOURED.type), "what each driver makes of it"),
    ),
)
LAYER = Record(
    "layer",
    "What one layer says of a setting.",
    (
        *SETTING.fields,
        Field("scope", one_of(Scope), "how wide the layer holds"),
        Field("profile", TEXT, "the profile that says it; empty for the stored definition"),
        Field("bound", TEXT, "where it is said that this profile holds"),
        Field("wins", TRUTH, "whether this is the value that is wanted in the end; none is where bindings differ"),
        Field("why", TEXT, "why it does, or why not"),
    ),
)
ANSWER = Record(
    "answer",
    "One setting, and why it is what it is.",
    (
        Field("name", TEXT, "name with selector and keys in it"),
        Field("layers", many(LAYER.type), "all that say it, the narrowest first"),
        Field("effect", TEXT, "when what holds takes effect; empty where nothing holds"),
    ),
)
EXPLAINED = Record(
    "explained",
    "What holds for one domain.",
    (
        Field("domain", TEXT, "the domain or file as it was given"),
        Field("driver", one_of(DRIVERS), "the driver for which it was looked at"),
        Field("answers", many(ANSWER.type), "each setting that the name means"),
        Field("not_done", many(NOT_DONE.type), "wishes that the name means and that cannot be met"),
        Field("notes", many(TEXT), "what else is to be known of what is wanted of the domain, one sentence each"),
        Field("problems", many(TEXT), "what is wrong with what the layers say, one line each"),
    ),
)
WISH = Record(
    "wish",
    "What drivers make of a portable wish.",
    (
        Field("wish", TEXT, "its name"),
        Field("help", TEXT, "one sentence"),
        Field("value", TEXT, "what may be said, in words"),
        Field("drivers", table(one_of(DRIVERS), TEXT), "what it becomes on each; empty for one that is refused"),
        Field("refused", TEXT, "why this version refuses it; empty where it does not"),
    ),
)
MEANT = Record(
    "meant",
    "What drivers make of all whose names begin so.",
    (
        Field("wishes", many(WISH.type), "each portable wish that the name means"),
        Field("parameters", many(PARAMETER.type), "each parameter that the name means"),
    ),
)
