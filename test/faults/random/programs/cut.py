"""Cuts the connections of another process, as a lost network does: both sides see them end. Arguments: tcp or unix, a process."""
import ctypes, os, socket, sys

PIDFD_OPEN, PIDFD_GETFD = 434, 438
libc = ctypes.CDLL(None, use_errno=True)


def call(number, *args):
    result = libc.syscall(number, *args)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def inodes(kind):
    """Of sockets that are connected."""
    found = set()
    for name in (["tcp", "tcp6"] if kind == "tcp" else ["unix"]):
        with open(f"/proc/net/{name}") as table:
            for row in list(table)[1:]:
                columns = row.split()
                is_connected = columns[3] == "01" if kind == "tcp" else columns[5] == "03"
                if is_connected:
                    found.add(columns[9] if kind == "tcp" else columns[6])
    return found


def cut(kind, pid):
    connected = inodes(kind)
    pidfd = call(PIDFD_OPEN, pid, 0)
    count = 0
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{name}")
            if not target.startswith("socket:[") or target[8:-1] not in connected:
                continue
            with socket.socket(fileno=call(PIDFD_GETFD, pidfd, int(name), 0)) as taken:
                taken.shutdown(socket.SHUT_RDWR)
            count += 1
        except OSError:
            pass  # It was closed just now.
    return count


print(cut(sys.argv[1], int(sys.argv[2])))
