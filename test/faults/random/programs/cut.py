"""Cuts the connections of another process, as a lost network does: both sides see them end. Arguments: the name of
the socket that it has dialled, a process."""
import ctypes, os, socket, sys

PIDFD_OPEN, PIDFD_GETFD = 434, 438
libc = ctypes.CDLL(None, use_errno=True)


def call(number, *args):
    result = libc.syscall(number, *args)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def inodes():
    """Of sockets that are connected."""
    with open("/proc/net/unix") as table:
        rows = [row.split() for row in list(table)[1:]]
    return {columns[6] for columns in rows if columns[5] == "03"}


def cut(dialled, pid):
    connected = inodes()
    pidfd = call(PIDFD_OPEN, pid, 0)
    count = 0
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{name}")
            if not target.startswith("socket:[") or target[8:-1] not in connected:
                continue
            with socket.socket(fileno=call(PIDFD_GETFD, pidfd, int(name), 0)) as taken:
                if os.path.basename(os.fsdecode(taken.getpeername())) != dialled:
                    continue
                taken.shutdown(socket.SHUT_RDWR)
            count += 1
        except OSError:
            pass  # It was closed just now.
    return count


print(cut(sys.argv[1], int(sys.argv[2])))
