"""fastopen_client.py ADDRESS CA: one GET as a stock program makes it, whose kernel does all: OpenSSL's ClientHello goes
to sendto(2) with MSG_FASTOPEN, before there is a connection."""
import socket
import ssl
import sys

address, trusted = sys.argv[1:]
context = ssl.create_default_context(cafile=trusted)
arrived, leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
tls = context.wrap_bio(arrived, leaving, server_hostname=address)
connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)


def flush():
    """What OpenSSL has to say leaves: the first of it with the SYN."""
    if leaving.pending and flush.connected:
        connection.sendall(leaving.read())
    elif leaving.pending:
        connection.sendto(leaving.read(), socket.MSG_FASTOPEN, (address, 443))
        flush.connected = True


def wait_while(step):
    """Until the step needs no more from the network."""
    while True:
        try:
            return step()
        except ssl.SSLWantReadError:
            flush()
            chunk = connection.recv(65536)
            if not chunk:
                raise SystemExit("the server has closed") from None
            arrived.write(chunk)


flush.connected = False
wait_while(tls.do_handshake)
tls.write(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
flush()
print(wait_while(lambda: tls.read(65536)).split(b"\r\n")[0].decode())
