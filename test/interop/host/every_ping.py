"""Pings ADDRESS with every payload size FIRST..LAST through a raw socket of the host's kernel, WINDOW at a time, and compares every byte that comes back.

every_ping.py ADDRESS FIRST LAST WINDOW: prints "N of N answered"; status 0 only if all were, each once and unchanged.
"""
import os
import random
import socket
import struct
import sys

ICMP_FILTER = 1
SOL_RAW = 255
WAIT_S = 3


def sum_of(payload):
    """Its 16-bit words modulo 65535, which is their ones' complement sum."""
    number = int.from_bytes(payload, "big")
    return (number << 8 if len(payload) & 1 else number) % 65535


def message(kind, ident, seq, total, payload):
    # Where the sum is 65535 (never 0: the identifier is not), the checksum is 0.
    total = (kind << 8) + ident + seq + total
    return struct.pack("!BBHHH", kind, 0, 65535 - (total % 65535 or 65535), ident, seq) + payload


def main(address, first, last, window):
    s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    s.setsockopt(SOL_RAW, ICMP_FILTER, struct.pack("I", 0xFFFFFFFF & ~1))
    s.setsockopt(socket.SOL_SOCKET, 33, 16 << 20)  # SO_RCVBUFFORCE
    s.setsockopt(socket.SOL_SOCKET, 32, 16 << 20)  # SO_SNDBUFFORCE
    s.settimeout(WAIT_S)
    s.connect((address, 0))
    ident = os.getpid() & 0xFFFF or 1
    source = random.Random(7).randbytes(last + 8192)
    waiting = {}
    answered = 0
    size = first
    while size <= last or waiting:
        while size <= last and len(waiting) < window:
            at = size * 7 % 8191
            payload = source[at : at + size]
            seq = size & 0xFFFF
            # The answer in full: type 0, the same identifier, sequence number and bytes.
            total = sum_of(payload)
            waiting[seq] = message(0, ident, seq, total, payload)
            s.send(message(8, ident, seq, total, payload))
            size += 1
        try:
            packet = s.recv(65536)
        except TimeoutError:
            print(f"no answer to {sorted(waiting)[:20]}")
            return 1
        hlen = (packet[0] & 15) * 4
        if packet[hlen + 4 : hlen + 6] != ident.to_bytes(2, "big"):
            continue
        seq = int.from_bytes(packet[hlen + 6 : hlen + 8], "big")
        wanted = waiting.pop(seq, None)
        if wanted is None:
            print(f"size {seq}: answered twice")
            return 1
        if packet[hlen:] != wanted:
            at = next((i for i, (a, b) in enumerate(zip(packet[hlen:], wanted)) if a != b), min(len(packet) - hlen, len(wanted)))
            print(f"size {seq}: {len(packet) - hlen} bytes for {len(wanted)}, the first difference at {at}")
            return 1
        answered += 1
    print(f"{answered} of {last - first + 1} answered")
    return 0


sys.exit(main(sys.argv[1], *map(int, sys.argv[2:5])))
