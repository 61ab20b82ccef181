"""What holds for every test: the option --regenerate, and the count of tests that ran on a real hypervisor.

A test that needs one says which: `@pytest.mark.live("qemu")`. Where it cannot run, a fixture skips it with the reason.
"""

import os
import tomllib
from collections import Counter
from pathlib import Path

import pytest

MINIMUM: dict[str, int] = tomllib.loads((Path(__file__).parent / "live" / "minimum.toml").read_text(encoding="utf-8"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--regenerate", action="store_true", help="rewrite what the cases expect; then read the diff")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if (mark := item.get_closest_marker("live")) is None:
            continue
        if len(mark.args) != 1 or mark.args[0] not in MINIMUM:
            raise pytest.UsageError(f"{item.nodeid}: say @pytest.mark.live(DRIVER), one of {', '.join(MINIMUM)}")
        item.user_properties.append(("live", mark.args[0]))


def pytest_sessionfinish(session: pytest.Session) -> None:
    if shortfall(session.config) and os.environ.get("CI") == "true" and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    skipped = skips(config)
    terminalreporter.section("live tests")
    for driver in MINIMUM:
        terminalreporter.write_line(f"{driver}: {ran(config)[driver]} ran")
        for reason, count in skipped.get(driver, Counter()).most_common():
            terminalreporter.write_line(f"    {count} skipped: {reason}")
    for sentence in shortfall(config):
        terminalreporter.write_line(f"{'ERROR' if os.environ.get('CI') == 'true' else 'in CI an error'}: {sentence}")


def stats(config: pytest.Config) -> dict[str, list[object]]:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return reporter.stats if reporter else {}


def reports(config: pytest.Config) -> list[tuple[str, pytest.TestReport]]:
    """The reports of live tests, each with its driver."""
    tests = (report for group in stats(config).values() for report in group if isinstance(report, pytest.TestReport))
    return [(str(value), report) for report in tests for key, value in report.user_properties if key == "live"]


def ran(config: pytest.Config) -> Counter[str]:
    done = (driver for driver, report in reports(config) if report.when == "call" and not report.skipped)
    return Counter(done)


def skips(config: pytest.Config) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    for driver, report in reports(config):
        if report.skipped and isinstance(report.longrepr, tuple):
            found.setdefault(driver, Counter())[report.longrepr[2].removeprefix("Skipped: ")] += 1
    return found


def shortfall(config: pytest.Config) -> list[str]:
    """One sentence for each driver with too few tests; none when only a part of the suite was asked for."""
    part = config.args_source is not pytest.Config.ArgsSource.TESTPATHS or "deselected" in stats(config)
    if part or config.option.collectonly or config.option.ignore or config.option.ignore_glob:
        return []
    return [
        f"{count} live tests of driver {driver} ran, tests/live/minimum.toml wants {least}"
        for driver, least in MINIMUM.items()
        if (count := ran(config)[driver]) < least
    ]
