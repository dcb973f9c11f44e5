"""Calls a test service with gRPC's C core: python ccore_client.py PORT [--ca FILE] [--gzip]. Ends with 1 at the first fault."""

import argparse
import threading

import grpc

SERVICE = "/grpc.testing.TestService/"
HEADER, TRAILER = "x-grpc-test-echo-initial", "x-grpc-test-echo-trailing-bin"


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field, value):
    return varint(field << 3) + varint(value)


def data(field, value):
    return varint(field << 3 | 2) + varint(len(value)) + value


def payload(field, length):
    return data(field, data(2, bytes(length)))


def simple(response, request=0):
    return number(2, response) + payload(3, request)


def output(*sizes):
    return b"".join(data(2, number(1, size)) for size in sizes)


def status(field, code, message):
    return data(field, number(1, code) + data(2, message.encode()))


def expect(value, wanted, what):
    if value != wanted:
        raise SystemExit(f"{what}: {value!r} instead of {wanted!r}")


def fails(code, call, what):
    try:
        call()
    except grpc.RpcError as error:
        expect(error.code(), code, what)
        return error
    raise SystemExit(f"{what}: no error")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("port")
    parser.add_argument("--ca")
    parser.add_argument("--gzip", action="store_true")
    args = parser.parse_args()
    address = f"localhost:{args.port}"
    compression = grpc.Compression.Gzip if args.gzip else grpc.Compression.NoCompression
    if args.ca:
        with open(args.ca, "rb") as file:
            channel = grpc.secure_channel(address, grpc.ssl_channel_credentials(file.read()), compression=compression)
    else:
        channel = grpc.insecure_channel(address, compression=compression)
    unary = channel.unary_unary(SERVICE + "UnaryCall")
    sink = channel.stream_unary(SERVICE + "StreamingInputCall")
    source = channel.unary_stream(SERVICE + "StreamingOutputCall")
    duplex = channel.stream_stream(SERVICE + "FullDuplexCall")
    patience = {"timeout": 30}

    if args.gzip:
        # expect_compressed and response_compressed: the caller counts what passes.
        wish = data(8, number(1, 1)) + data(6, number(1, 1))
        expect(unary(simple(314159, 271828) + wish, **patience), payload(1, 314159), "compressed unary call")
        sizes = (data(2, number(1, 31415) + data(3, number(1, 1))), data(2, number(1, 92653)))
        answers = list(source(b"".join(sizes), **patience))
        expect(answers, [payload(1, 31415), payload(1, 92653)], "compressed stream")
        return

    expect(channel.unary_unary(SERVICE + "EmptyCall")(b"", **patience), b"", "empty unary call")
    expect(unary(simple(314159, 271828), **patience), payload(1, 314159), "large unary call")
    expect(unary(simple(4_000_000), **patience), payload(1, 4_000_000), "unary call of nearly the largest message")
    sizes = (27182, 8, 1828, 45904)
    expect(sink(iter([payload(1, size) for size in sizes]), **patience), number(1, sum(sizes)), "client stream")
    many = [size * 37 % 2000 + 1 for size in range(2000)]
    expect(list(source(output(*many), **patience)), [payload(1, size) for size in many], "server stream")

    answered = threading.Semaphore(1)

    def questions():
        for size in (31415, 9, 2653, 58979):
            answered.acquire()
            yield output(size) + payload(3, size)

    answers = []
    for answer in duplex(questions(), **patience):
        answers.append(answer)
        answered.release()
    expect(answers, [payload(1, size) for size in (31415, 9, 2653, 58979)], "ping-pong")
    expect(list(duplex(iter(()), **patience)), [], "empty stream")

    metadata = ((HEADER, "test_initial_metadata_value"), (TRAILER, b"\x0a\x0b\x0a\x0b\x0a\x0b"))
    _, call = unary.with_call(simple(1), metadata=metadata, **patience)
    expect(dict(call.initial_metadata()).get(HEADER), metadata[0][1], "header sent back")
    expect(dict(call.trailing_metadata()).get(TRAILER), metadata[1][1], "trailer sent back")

    message = "\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \U0001f608\t\n"
    error = fails(grpc.StatusCode.UNKNOWN, lambda: unary(status(7, 2, message), **patience), "status")
    expect(error.details(), message, "message of a status")
    fails(grpc.StatusCode.UNKNOWN, lambda: list(duplex(iter([status(7, 2, "x")]), **patience)), "status of a stream")
    fails(grpc.StatusCode.UNIMPLEMENTED, lambda: channel.unary_unary(SERVICE + "None")(b"", **patience), "no method")
    fails(grpc.StatusCode.UNIMPLEMENTED, lambda: channel.unary_unary("/no.Service/None")(b"", **patience), "no service")

    silent = threading.Event()

    def never():
        yield payload(3, 27182)
        silent.wait(30)

    fails(grpc.StatusCode.DEADLINE_EXCEEDED, lambda: list(duplex(never(), timeout=0.05)), "deadline")
    call = duplex(never(), **patience)
    call.cancel()
    fails(grpc.StatusCode.CANCELLED, lambda: list(call), "cancelled before an answer")
    silent.set()
    call = source(output(*([1000] * 100_000)), **patience)
    next(call)
    call.cancel()
    fails(grpc.StatusCode.CANCELLED, lambda: list(call), "cancelled after an answer")
    channel.close()


main()
