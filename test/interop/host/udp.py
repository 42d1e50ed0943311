"""UDP programs of the host.

udp.py echo ADDRESS PORT            answers every datagram until standard input closes
udp.py client ADDRESS PORT SIZE...  sends each size and wants it back, byte for byte; prints "N echoed"
udp.py refused ADDRESS PORT         prints the error that a connected socket gets: "ECONNREFUSED", or "silence"
udp.py listen IFADDR PORT [GROUP]   joins GROUP on the interface with IFADDR, prints "ready", then each datagram: "FROM TTL TEXT"
udp.py say IFADDR TO PORT TEXT      sends one datagram from the interface with IFADDR, TTL 3 for groups
"""
import errno
import random
import select
import socket
import struct
import sys

WAIT_S = 5
IP_RECVTTL = 12
IP_PKTINFO = 8
IP_TTL = 2


def udp():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    s.setsockopt(socket.SOL_SOCKET, 33, 4 << 20)  # SO_RCVBUFFORCE
    s.setsockopt(socket.SOL_SOCKET, 32, 4 << 20)  # SO_SNDBUFFORCE
    s.settimeout(WAIT_S)
    return s


def until_closed(s, received):
    """Calls received() whenever s is readable, until standard input closes."""
    while True:
        ready, _, _ = select.select([s, sys.stdin], [], [])
        if sys.stdin in ready:
            return 0
        received()


def echo(address, port):
    s = udp()
    s.bind((address, int(port)))
    print("ready")

    def received():
        data, peer = s.recvfrom(65536)
        s.sendto(data, peer)

    return until_closed(s, received)


def client(address, port, *sizes):
    s = udp()
    s.connect((address, int(port)))
    for i, size in enumerate(map(int, sizes)):
        data = random.Random(i).randbytes(size)
        s.send(data)
        back = s.recv(65536)
        if back != data:
            print(f"size {size}: {len(back)} bytes came back, and not those")
            return 1
    print(f"{len(sizes)} echoed")
    return 0


def refused(address, port):
    s = udp()
    s.settimeout(1)
    s.connect((address, int(port)))
    try:
        s.send(b"anybody?")
        s.recv(100)
        print("an answer")
    except TimeoutError:
        print("silence")
    except OSError as e:
        print(errno.errorcode[e.errno])
    return 0


def listen(ifaddr, port, group=None):
    s = udp()
    s.setsockopt(socket.IPPROTO_IP, IP_RECVTTL, 1)
    s.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
    s.bind(("", int(port)))
    if group is not None:
        member = socket.inet_aton(group) + socket.inet_aton(ifaddr)
        s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
    print("ready")

    def received():
        data, control, _, peer = s.recvmsg(65536, 512)
        ttl = next(struct.unpack("i", c[:4])[0] for (_, kind, c) in control if kind == IP_TTL)
        to = next(socket.inet_ntoa(c[8:12]) for (_, kind, c) in control if kind == IP_PKTINFO)
        print(f"{peer[0]} > {to} ttl {ttl}: {data.decode()}")

    return until_closed(s, received)


def say(ifaddr, to, port, text):
    s = udp()
    s.bind((ifaddr, 0))
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(ifaddr))
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 3)
    s.sendto(text.encode(), (to, int(port)))
    return 0


sys.exit({"echo": echo, "client": client, "refused": refused, "listen": listen, "say": say}[sys.argv[1]](*sys.argv[2:]))
