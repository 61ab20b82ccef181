#!/usr/bin/env bash
# Makes the checkout ready: what is missing on this system, then .venv with domtune and its development tools.
# Nothing is done twice: a second run takes well under a second. No service is started.
#   scripts/setup.sh            what building, testing and the demo need
#   scripts/setup.sh bench      what the comparison needs, too
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# To build libvirt-python and make the virtual environment.
BUILD=(libvirt-dev pkg-config gcc libc6-dev python3-dev python3-venv)
# To run the live tests and the demo. Not libvirt-daemon-system: it holds the services and their configuration, and tests
# bring their own; without it there is nothing that could be started. All we need of it is a user (see qemu_user).
LIVE=(
    libvirt-daemon libvirt-daemon-driver-qemu libvirt-daemon-driver-lxc libvirt-clients
    qemu-system-x86 qemu-utils seabios busybox-static iproute2
)
# To try completion in these shells, and to look at the manual pages.
TRY=(zsh fish groff-base)
# A package of its own in some releases only (virtlogd, in Debian 13).
LIVE_IF_KNOWN=(libvirt-daemon-log)
# virt-xml, to compare with.
BENCH=(virtinst python3-gi)

say() { printf 'setup: %s\n' "$*" >&2; }

die() {
    say "$@"
    exit 1
}

# Prints those of the named packages that are not installed.
missing() {
    local package
    for package in "$@"; do
        case " $INSTALLED " in
            *" $package "*) ;;
            *) printf '%s\n' "$package" ;;
        esac
    done
}

on_debian() {
    command -v apt-get >/dev/null && command -v dpkg-query >/dev/null && [ -r /etc/os-release ] || return 1
    (
        # shellcheck source=/dev/null
        . /etc/os-release
        case " ${ID:-} ${ID_LIKE:-} " in *" debian "*) ;; *) false ;; esac
    )
}

apt_install() {
    say "installing by apt: $*"
    export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 # RUNLEVEL=1: invoke-rc.d starts no service
    apt-get update -qq </dev/null || say "apt-get update failed; going on with the package lists that are there"
    apt-get install -y -qq --no-install-recommends -o Dpkg::Use-Pty=0 "$@" </dev/null >&2
}

# Debian's libvirt opens its QEMU driver only when this user is there, even if the configuration names another.
# Made as libvirt-daemon-system makes it, so that installing that package later changes nothing.
qemu_user() {
    ! getent passwd libvirt-qemu >/dev/null || return 0
    if [ "$(id -u)" -ne 0 ]; then
        say "there is no user libvirt-qemu (libvirt-daemon-system makes it): live tests with QEMU will be skipped"
        return
    fi
    say "making the system user libvirt-qemu"
    local id=(--system)
    getent passwd 64055 >/dev/null || getent group 64055 >/dev/null || id+=(--uid 64055) # Debian keeps 64055 for it
    getent group kvm >/dev/null || groupadd --system kvm
    useradd "${id[@]}" --gid kvm --home-dir /var/lib/libvirt --no-create-home --shell /usr/sbin/nologin \
        --comment "Libvirt Qemu" libvirt-qemu
    getent group libvirt-qemu >/dev/null || groupadd "${id[@]/--uid/--gid}" libvirt-qemu
    usermod --append --groups libvirt-qemu libvirt-qemu
}

debian_packages() {
    INSTALLED=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p' | tr '\n' ' ')
    local package build live
    local -a wanted=("${LIVE[@]}" "${TRY[@]}")
    [ "$WITH" != bench ] || wanted+=("${BENCH[@]}")
    mapfile -t build < <(missing "${BUILD[@]}")
    mapfile -t live < <(missing "${wanted[@]}")
    [ $((${#build[@]} + ${#live[@]})) -gt 0 ] || return 0
    for package in $(missing "${LIVE_IF_KNOWN[@]}"); do
        [ -z "$(apt-cache show "$package" 2>/dev/null)" ] || live+=("$package")
    done
    local -a all=("${build[@]}" "${live[@]}")
    if [ "$(id -u)" -eq 0 ]; then
        apt_install "${all[@]}"
        return
    fi
    say "missing packages; as root, run:"
    say "    apt-get install --no-install-recommends ${all[*]}"
    [ ${#build[@]} -eq 0 ] || die "cannot build libvirt-python without: ${build[*]}"
    say "going on without them: live tests that need them will be skipped"
}

other_system() {
    local tool
    local -a lacking=()
    pkg-config --exists libvirt 2>/dev/null || lacking+=("the libvirt client library with its headers (and pkg-config)")
    command -v cc >/dev/null || lacking+=("a C compiler (cc)")
    if [ ${#lacking[@]} -gt 0 ]; then
        say "not a Debian system, so install these by hand:"
        for tool in "${lacking[@]}"; do say "    $tool"; done
        die "then run this again"
    fi
    for tool in libvirtd virsh qemu-system-x86_64 qemu-img busybox ip; do
        command -v "$tool" >/dev/null || say "$tool is not there: live tests that need it will be skipped"
    done
}

# Prints the first Python that is new enough.
find_python() {
    local python
    for python in python3 python3.13 python3.12 python3.11 /usr/bin/python3; do
        if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            printf '%s\n' "$python"
            return
        fi
    done
    die "needs Python 3.11 or newer; $(python3 --version 2>/dev/null || echo 'no python3') is what is here"
}

# True when .venv was made here (not moved or copied) with a Python that still works.
usable_environment() {
    case "$(head -n 1 .venv/bin/pip 2>/dev/null)" in "#!$PWD/.venv/bin/python"*) ;; *) return 1 ;; esac
    .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

virtual_environment() {
    local python stamp=.venv/domtune-setup wanted
    wanted="$PWD $(sha256sum <pyproject.toml)"
    exec 9<pyproject.toml # two runs at a time: the second waits, and then finds the work done
    ! command -v flock >/dev/null || flock 9
    if [ -x .venv/bin/domtune ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && .venv/bin/python -c ''; then
        return
    fi
    if ! usable_environment; then
        python=$(find_python)
        say "making .venv with $("$python" --version)"
        "$python" -m venv --clear .venv
    fi
    say "installing domtune and its development tools into .venv"
    .venv/bin/pip install -qq --disable-pip-version-check --no-input --editable '.[dev]' </dev/null >&2
    printf '%s\n' "$wanted" >"$stamp"
}

WITH=${1:-}
INSTALLED=
if on_debian; then debian_packages; qemu_user; else other_system; fi
virtual_environment
