"""Packets that no ordinary program sends, by a raw socket of the host's kernel.

raw.py igmp-query FROM TO
raw.py needfrag ROUTER TO PEER PORT PEERPORT LEN MTU   "fragmentation needed" about a UDP datagram of LEN bytes from TO to PEER
raw.py fragments FROM TO     fragments of echo requests in every order and of every kind, good and bad; prints one line a case
"""
import itertools
import os
import random
import socket
import struct
import sys

WAIT_S = 1.5
MF = 0x2000


def checksum(data):
    if len(data) & 1:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ip(src, dst, proto, ident, off, payload, ttl=64, options=b""):
    """A packet; `off` with the flags. The kernel fills in length and checksum."""
    hlen = 5 + len(options) // 4
    head = struct.pack("!BBHHHBBH", 0x40 | hlen, 0, 0, ident, off, ttl, proto, 0)
    return head + socket.inet_aton(src) + socket.inet_aton(dst) + options + payload


def raw():
    s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_HDRINCL, 1)
    return s


def igmp_query(src, dst):
    body = struct.pack("!BBH4s", 0x11, 10, 0, b"\0\0\0\0")
    body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
    s = raw()
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(src))
    s.sendto(ip(src, dst, 2, 1, 0, body, 1, b"\x94\x04\0\0"), (dst, 0))
    return 0


def needfrag(src, dst, peer, port, peerport, length, mtu):
    length = int(length)
    quoted = struct.pack("!BBHHHBBH", 0x45, 0, length, 99, 0x4000, 63, 17, 0) + socket.inet_aton(dst) + socket.inet_aton(peer)
    quoted = quoted[:10] + struct.pack("!H", checksum(quoted)) + quoted[12:]
    quoted += struct.pack("!HHHH", int(port), int(peerport), length - 20, 0)
    body = struct.pack("!BBHHH", 3, 4, 0, 0, int(mtu)) + quoted
    body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
    raw().sendto(ip(src, dst, 1, 1, 0, body), (dst, 0))
    return 0


class Pieces:
    """Echo requests in fragments, and whether they are answered."""

    def __init__(self, src, dst):
        self.src, self.dst = src, dst
        self.out = raw()
        self.back = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        self.back.setsockopt(255, 1, struct.pack("I", 0xFFFFFFFF & ~1))  # ICMP_FILTER: echo replies
        self.back.setsockopt(socket.SOL_SOCKET, 33, 4 << 20)  # SO_RCVBUFFORCE
        self.back.bind((src, 0))
        self.ident = os.getpid() & 0xFFFF
        self.seq = 0
        self.random = random.Random(3)

    def request(self, size):
        """A new echo request of `size` bytes of data, and the answer that it deserves."""
        self.seq += 1
        data = self.random.randbytes(size)
        both = []
        for kind in (8, 0):
            body = struct.pack("!BBHHH", kind, 0, 0, self.ident, self.seq) + data
            both.append(body[:2] + struct.pack("!H", checksum(body)) + body[4:])
        return both

    def cut(self, body, size):
        """(offset, more, bytes) of pieces of `size` bytes."""
        return [(at, at + size < len(body), body[at : at + size]) for at in range(0, len(body), size)]

    def send(self, piece, ident):
        at, more, data = piece
        self.out.sendto(ip(self.src, self.dst, 1, ident, at // 8 | (MF if more else 0), data), (self.dst, 0))

    def answer(self, wait):
        self.back.settimeout(wait)
        try:
            while True:
                packet = self.back.recv(65536)
                body = packet[(packet[0] & 15) * 4 :]
                if body[4:8] == struct.pack("!HH", self.ident, self.seq):
                    return body
        except TimeoutError:
            return None

    def case(self, name, body, wanted, pieces, wait=WAIT_S):
        ident = 20000 + self.seq
        for piece in pieces:
            self.send(piece, ident)
        got = self.answer(wait)
        what = "answered" if got == wanted else "silence" if got is None else "a wrong answer"
        print(f"{name}: {what}")


def fragments(src, dst):
    p = Pieces(src, dst)
    silent = 0.3

    def orders(name, size, cut, order):
        body, wanted = p.request(size)
        p.case(name, body, wanted, order(p.cut(body, cut)))

    orders("in order", 3000, 1480, list)
    orders("backwards", 3000, 1480, lambda f: f[::-1])
    orders("eight bytes each, backwards", 400, 8, lambda f: f[::-1])
    orders("shuffled", 20000, 488, lambda f: p.random.sample(f, len(f)))
    orders("the largest, shuffled", 65507, 1480, lambda f: p.random.sample(f, len(f)))
    orders("every second first", 9000, 1000, lambda f: f[1::2] + f[::2])
    for i, order in enumerate(itertools.permutations(range(4))):
        body, wanted = p.request(4 * 64 - 8)
        p.case(f"permutation {i}", body, wanted, [p.cut(body, 64)[n] for n in order])
    # Two datagrams of one sender, fragment by fragment in turn.
    one, wanted_one = p.request(2000)
    two, wanted_two = p.request(2000)
    for a, b in zip(p.cut(one, 504), p.cut(two, 504)):
        p.send(a, 777)
        p.send(b, 778)
    p.seq -= 1
    first = p.answer(WAIT_S) == wanted_one
    p.seq += 1
    second = p.answer(WAIT_S) == wanted_two
    print(f"two in turn: {'answered' if first and second else 'silence'}")
    # What must not be answered.
    body, wanted = p.request(3000)
    a, b, c = p.cut(body, 1024)
    over = (b[0] - 8, True, body[b[0] - 8 : b[0] - 8 + 1024])
    p.case("overlap of eight bytes", body, wanted, [a, over, c], silent)
    body, wanted = p.request(3000)
    a, b, c = p.cut(body, 1024)
    p.case("overlap inside", body, wanted, [a, (512, True, b"x" * 64), b, c], silent)
    body, wanted = p.request(3000)
    a, b, c = p.cut(body, 1024)
    p.case("two ends", body, wanted, [a, c, (c[0] - 512, False, b"x" * 64), b], silent)
    body, wanted = p.request(3000)
    a, b, c = p.cut(body, 1024)
    p.case("beyond the end", body, wanted, [a, c, (c[0] + 1024, True, b"x" * 64), b], silent)
    body, wanted = p.request(3000)
    p.case("no first", body, wanted, p.cut(body, 1024)[1:], silent)
    body, wanted = p.request(3000)
    p.case("a middle of odd length", body, wanted, [(0, True, body[:1021]), (1024, True, body[1024:2048]), (2048, False, body[2048:])], silent)
    body, wanted = p.request(3000)
    p.case("past 65535", body, wanted, [(65528, False, b"x" * 100), *p.cut(body, 1024)[:-1]], silent)
    # And all is as before.
    orders("afterwards", 3000, 1480, lambda f: f[::-1])
    return 0


sys.exit({"igmp-query": igmp_query, "needfrag": needfrag, "fragments": fragments}[sys.argv[1]](*sys.argv[2:]))
