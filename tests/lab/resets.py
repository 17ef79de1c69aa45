"""resets.py INTERFACE FILE: writes a line into FILE for every RST on the interface, of either family, until it is ended:
"ADDRESS.PORT > ADDRESS.PORT at TIME, hop limit N, window N". Needs CAP_NET_RAW, in whatever namespace. "watching" on stdout says that it has begun."""
import ctypes
import socket
import struct
import sys
import time

ETH_P_ALL, SO_ATTACH_FILTER = 3, 26
LDH, LDB, LDBX, LDX, JEQ, JSET, RET = 0x28, 0x30, 0x50, 0xb1, 0x15, 0x45, 0x06
# As the kernel runs it over each frame: RST in TCP over IPv4 (no later fragment), or over IPv6 without extension headers.
FILTER = [
    (LDH, 0, 0, 12), (JEQ, 9, 0, 0x86dd), (JEQ, 0, 7, 0x0800),
    (LDB, 0, 0, 23), (JEQ, 0, 5, 6), (LDH, 0, 0, 20), (JSET, 3, 0, 0x1fff),
    (LDX, 0, 0, 14), (LDBX, 0, 0, 27), (JSET, 5, 0, 4), (RET, 0, 0, 0),
    (LDB, 0, 0, 20), (JEQ, 0, 3, 6), (LDB, 0, 0, 67), (JSET, 0, 1, 4), (RET, 0, 0, 128), (RET, 0, 0, 0),
]


def attach(watch):
    """The filter, before the first frame is taken."""
    program = b"".join(struct.pack("HBBI", *line) for line in FILTER)
    memory = ctypes.create_string_buffer(program)
    watch.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER,
                     struct.pack("HL", len(FILTER), ctypes.addressof(memory)))


def ends(frame):
    """Both, of a frame that the filter let through."""
    six = frame[12:14] == b"\x86\xdd"
    family, at, size = (socket.AF_INET6, 22, 16) if six else (socket.AF_INET, 26, 4)
    tcp = 54 if six else 14 + (frame[14] & 15) * 4
    ports = struct.unpack("!HH", frame[tcp:tcp + 4])
    names = [socket.inet_ntop(family, frame[at + i * size:at + (i + 1) * size]) for i in (0, 1)]
    window = struct.unpack("!H", frame[tcp + 14:tcp + 16])[0]
    return (f"{names[0]}.{ports[0]} > {names[1]}.{ports[1]} at {time.strftime('%T')}, "
            f"hop limit {frame[21 if six else 22]}, window {window}")


interface, path = sys.argv[1:]
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as watch, open(path, "a", buffering=1) as out:
    attach(watch)
    watch.bind((interface, ETH_P_ALL))
    print("watching", flush=True)
    while True:
        print(ends(watch.recv(128)), file=out)
