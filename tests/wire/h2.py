"""HTTP/2 by hand: frames, HPACK and gRPC's frame around a message, so that a test can send what no client would."""
import struct

from wire import Client

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED = 0x1, 0x1, 0x4, 0x8
NO_ERROR, PROTOCOL_ERROR, CANCEL, CALM = 0x0, 0x1, 0x8, 0xB
EXPORT = "/opentelemetry.proto.collector.%s.v1.%sService/Export"
METRICS, LOGS, TRACES = (EXPORT % pair for pair in (("metrics", "Metrics"), ("logs", "Logs"), ("trace", "Trace")))

# RFC 7541, appendix A: name=value
STATIC = [
    ":authority", ":method=GET", ":method=POST", ":path=/", ":path=/index.html", ":scheme=http", ":scheme=https",
    ":status=200", ":status=204", ":status=206", ":status=304", ":status=400", ":status=404", ":status=500",
    "accept-charset", "accept-encoding=gzip, deflate", "accept-language", "accept-ranges", "accept",
    "access-control-allow-origin", "age", "allow", "authorization", "cache-control", "content-disposition",
    "content-encoding", "content-language", "content-length", "content-location", "content-range", "content-type",
    "cookie", "date", "etag", "expect", "expires", "from", "host", "if-match", "if-modified-since", "if-none-match",
    "if-range", "if-unmodified-since", "last-modified", "link", "location", "max-forwards", "proxy-authenticate",
    "proxy-authorization", "range", "referer", "refresh", "retry-after", "server", "set-cookie",
    "strict-transport-security", "transfer-encoding", "user-agent", "vary", "via", "www-authenticate",
]

# RFC 7541, appendix B: the lengths of the codes, which are canonical
HUFFMAN_LENGTHS = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
    28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
    6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
    5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
    13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
    6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
    21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
    19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
]


def huffman_codes():
    codes, code, before = {}, 0, 0
    for symbol in sorted(range(256), key=lambda s: (HUFFMAN_LENGTHS[s], s)):
        length = HUFFMAN_LENGTHS[symbol]
        code <<= length - before
        codes[(length, code)] = symbol
        code, before = code + 1, length
    return codes


HUFFMAN = huffman_codes()


def unhuffman(data):
    out, code, length = bytearray(), 0, 0
    for byte in data:
        for bit in range(7, -1, -1):
            code, length = code << 1 | byte >> bit & 1, length + 1
            if (length, code) in HUFFMAN:
                out.append(HUFFMAN[(length, code)])
                code = length = 0
    assert length < 8 and code == (1 << length) - 1, "padding is not ones"
    return bytes(out)


def integer(value, bits, first=0):
    most = (1 << bits) - 1
    if value < most:
        return bytes([first | value])
    out, value = bytearray([first | most]), value - most
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def block(*fields):
    """Literals without indexing and without Huffman codes: the same bytes whatever came before."""
    out = b""
    for name, value in fields:
        for text in (name, value):
            raw = text if isinstance(text, bytes) else text.encode()
            out += (b"\0" if text is name else b"") + integer(len(raw), 7) + raw
    return out


class Fields:
    """Decodes a connection's blocks of fields, one after another."""

    def __init__(self):
        self.dynamic = []

    def entry(self, index):
        assert index > 0
        if index <= len(STATIC):
            name, _, value = STATIC[index - 1].partition("=") if index > 1 else (STATIC[0], "", "")
            return name, value
        return self.dynamic[index - len(STATIC) - 1]

    def decode(self, data):
        self.data, self.at, out = data, 0, []
        while self.at < len(data):
            byte = data[self.at]
            if byte & 0x80:
                out.append(self.entry(self.number(7)))
            elif byte & 0x40:
                self.dynamic.insert(0, self.literal(6))
                out.append(self.dynamic[0])
            elif byte & 0x20:
                self.number(5)  # a new size; the table here never shrinks
            else:
                out.append(self.literal(4))
        return out

    def number(self, bits):
        value = self.data[self.at] & (1 << bits) - 1
        self.at += 1
        shift = 0
        while value >= (1 << bits) - 1:
            byte = self.data[self.at]
            self.at += 1
            value += (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        return value

    def text(self):
        is_huffman = self.data[self.at] & 0x80
        length = self.number(7)
        raw = self.data[self.at : self.at + length]
        self.at += length
        return (unhuffman(raw) if is_huffman else raw).decode("latin-1")

    def literal(self, bits):
        index = self.number(bits)
        return (self.entry(index)[0] if index else self.text()), self.text()


def frame(kind, flags, stream, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def settings(*pairs):
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", *pair) for pair in pairs))


def message(body, flag=0):
    return bytes([flag]) + len(body).to_bytes(4, "big") + body


class Reply:
    """What came on one stream."""

    def __init__(self):
        self.heads, self.body, self.is_ended, self.error = [], b"", False, None

    @property
    def fields(self):
        return dict(self.heads[0])

    @property
    def trailers(self):
        return dict(self.heads[-1])

    @property
    def status(self):
        return int(self.fields[":status"])

    @property
    def grpc(self):
        return int(self.trailers["grpc-status"])

    def messages(self):
        out, rest = [], self.body
        while rest:
            length = int.from_bytes(rest[1:5], "big")
            out.append(rest[5 : 5 + length])
            rest = rest[5 + length :]
        return out


class H2(Client):
    """A connection with its preface sent; `window` is what it opens for each answer."""

    def __init__(self, port, *pairs):
        super().__init__(port)
        self.replies, self.decoder, self.next_id = {}, Fields(), 1
        self.goaway, self.pongs, self.settings, self.pings = None, [], {}, 0
        self.answers_pings = True
        self.send(PREFACE + settings(*pairs))

    # ---- sending ----

    def open(self, *fields, ends=False):
        """A new stream with this head; its number."""
        stream, self.next_id = self.next_id, self.next_id + 2
        raw = block(*fields)
        pieces = [raw[i : i + 16384] for i in range(0, len(raw), 16384)]
        last = len(pieces) - 1
        for i, piece in enumerate(pieces):
            flags = (END_HEADERS if i == last else 0) | (END_STREAM if ends and i == 0 else 0)
            self.send(frame(CONTINUATION if i else HEADERS, flags, stream, piece))
        return stream

    def data(self, stream, body, ends=True, step=16384):
        if len(body) > 65535:
            self.until(lambda: self.settings)  # which open the window further
        pieces = [body[i : i + step] for i in range(0, len(body), step)] or [b""]
        frames = [frame(DATA, 0, stream, piece) for piece in pieces[:-1]]
        frames.append(frame(DATA, END_STREAM if ends else 0, stream, pieces[-1]))
        return self.send(b"".join(frames))

    def post(self, body, path="/v1/metrics", kind="application/x-protobuf", *fields):
        stream = self.open(*head("POST", path), ("content-type", kind), *fields)
        self.data(stream, body)
        return stream

    def call(self, body, path=METRICS, *fields, flag=0, kind="application/grpc"):
        stream = self.open(*head("POST", path), ("content-type", kind), ("te", "trailers"), *fields)
        self.data(stream, message(body, flag))
        return stream

    # ---- receiving ----

    def next_frame(self):
        """The next frame, worked in; False at the end of the connection."""
        while len(self.rest) < 9 or len(self.rest) < 9 + int.from_bytes(self.rest[:3], "big"):
            if not self.more():
                return False
        length = int.from_bytes(self.rest[:3], "big")
        kind, flags = self.rest[3], self.rest[4]
        stream = int.from_bytes(self.rest[5:9], "big")
        payload, self.rest = self.rest[9 : 9 + length], self.rest[9 + length :]
        self.take(kind, flags, stream, payload)
        return True

    def take(self, kind, flags, stream, payload):
        reply = self.replies.setdefault(stream, Reply()) if stream else None
        if kind == HEADERS:
            assert flags & END_HEADERS
            reply.heads.append(self.decoder.decode(payload))
        elif kind == DATA:
            reply.body += payload
        elif kind == RST_STREAM:
            reply.error, reply.is_ended = int.from_bytes(payload, "big"), True
        elif kind == GOAWAY:
            self.goaway = struct.unpack(">II", payload[:8])
        elif kind == SETTINGS and not flags & ACK:
            for i in range(0, len(payload), 6):
                name, value = struct.unpack(">HI", payload[i : i + 6])
                self.settings[name] = value
            self.send(frame(SETTINGS, ACK, 0))
        elif kind == PING:
            self.take_ping(flags, payload)
        if reply and kind in (HEADERS, DATA) and flags & END_STREAM:
            reply.is_ended = True

    def take_ping(self, flags, payload):
        if flags & ACK:
            self.pongs.append(payload)
            return
        self.pings += 1
        if self.answers_pings:
            self.send(frame(PING, ACK, 0, payload))

    def until(self, condition):
        while not condition():
            if not self.next_frame():
                raise EOFError("the connection ended; GOAWAY %r" % (self.goaway,))

    def reply(self, stream):
        """The whole answer on a stream."""
        self.until(lambda: stream in self.replies and self.replies[stream].is_ended)
        return self.replies[stream]

    def ended(self):
        """All that comes until the connection ends; what its last GOAWAY said, or None."""
        try:
            while self.next_frame():
                pass
        except (BrokenPipeError, ConnectionResetError):
            pass
        return self.goaway


def head(method, path):
    return (":method", method), (":scheme", "http"), (":path", path), (":authority", "x")
