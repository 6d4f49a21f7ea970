#!/usr/bin/env python3
"""A long line between two ports of this machine, for kernels without netem.

    benches/line.py LISTEN_PORT TARGET_PORT ROUND_TRIP_MS

Every byte arrives half a round trip after it was sent, in both directions, and no more bytes are under way than a TCP
window holds: room is given back a whole round trip after the bytes were taken. 6 MiB is the largest window Linux gives a
receiver by default.
"""

import collections
import socket
import sys
import threading
import time

WINDOW = 6 << 20
PIECE = 256 << 10


def carry(source, target, half):
    """Carries one direction until its end."""
    way, changed = collections.deque(), threading.Condition()
    under_way = 0

    def deliver():
        nonlocal under_way
        returning = collections.deque()
        while True:
            with changed:
                while not way:
                    now = time.monotonic()
                    while returning and returning[0][0] <= now:
                        under_way -= returning.popleft()[1]
                        changed.notify_all()
                    changed.wait(max(0.0, returning[0][0] - now) if returning else None)
                due, piece = way.popleft()
            wait = due - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            try:
                if not piece:
                    target.shutdown(socket.SHUT_WR)
                    return
                target.sendall(piece)
            except OSError:
                source.close()
                return
            now = time.monotonic()
            returning.append((due + half, len(piece)))
            with changed:
                while returning and returning[0][0] <= now:
                    under_way -= returning.popleft()[1]
                changed.notify_all()

    threading.Thread(target=deliver, daemon=True).start()
    piece = b"-"
    while piece:
        with changed:
            while under_way >= WINDOW:
                changed.wait()
        try:
            piece = source.recv(PIECE)
        except OSError:
            piece = b""
        with changed:
            under_way += len(piece)
            way.append((time.monotonic() + half, piece))
            changed.notify_all()


def main():
    listen, target, round_trip_ms = (int(word) for word in sys.argv[1:4])
    half = round_trip_ms / 2000
    with socket.create_server(("127.0.0.1", listen)) as server:
        while True:
            near, _ = server.accept()
            far = socket.create_connection(("127.0.0.1", target))
            for end in (near, far):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for pair in ((near, far), (far, near)):
                threading.Thread(target=carry, args=(*pair, half), daemon=True).start()


main()
