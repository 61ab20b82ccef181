# Process 1 of the lab: makes the places libvirt writes to private, says "ready PID", then waits until its input ends.
# Everything in the lab dies with it. bash, because it reaps the guests, which libvirt lets go of: a guest that
# stays a zombie cannot be destroyed.
# Usage: bash inside.sh PLACE, a directory with configuration/ and sockets/, which is removed at the end
set -u
lab=$1
read -r pid _ </proc/self/stat # still the outer /proc: the number by which the outside knows us

fail() {
  printf 'failed %s\n' "$*"
  exit 1
}

mount -t proc proc /proc || fail "cannot mount /proc"
for place in /run/libvirt /var/lib/libvirt /var/log/libvirt /var/cache/libvirt /etc/libvirt; do
  mkdir -p "$place" && mount -t tmpfs -o mode=755 lab "$place" || fail "cannot mount a private $place"
done
# systemd-machined would take our process ids for its own; without the bus libvirt makes its cgroups itself.
if [ -d /run/dbus ]; then mount -t tmpfs lab /run/dbus || fail "cannot hide /run/dbus"; fi
# The LXC driver fails beside an empty cgroup v2 (vircgroup.c:virCgroupBindMount).
if mountpoint -q /sys/fs/cgroup/unified; then
  umount /sys/fs/cgroup/unified || fail "cannot unmount /sys/fs/cgroup/unified"
fi
ip link set lo up 2>/dev/null # for graphics; the network is empty otherwise
cp "$lab"/configuration/* /etc/libvirt/ || fail "cannot configure libvirt"
for name in libvirt-sock libvirt-sock-ro; do ln -s "$lab/sockets/$name" "/run/libvirt/$name"; done
mkdir -p /var/lib/libvirt/qemu /var/lib/libvirt/images
printf 'ready %s\n' "$pid"
while read -r _; do :; done
rm -rf -- "$lab"
