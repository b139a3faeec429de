"""The same in Python: all of `burla` is imported before it."""
import asyncio, json, os, time

_told = json.loads(os.environ["BURLA_FAULT_JOB"])
job, records, attach_to = _told["job"], _told["records"], _told["attachTo"]
captured = bytes([7]) * job["capturedBytes"]


def write(line):
    with open(records, "a") as file:
        file.write(line + "\n")


def is_first(what, index):
    """Whether it has not happened to this input before, in any worker."""
    try:
        os.close(os.open(f"{records}.{what}-{index}", os.O_CREAT | os.O_EXCL))
        return True
    except FileExistsError:
        return False


def call_s(index):
    return job["callMs"] * (0.5 + (index * 7919 % 101) / 100) / 1000


def compute(index):
    end = time.perf_counter() + call_s(index)
    while time.perf_counter() < end:
        pass


def begin(given):
    write(f"begin {given['index']}")
    if len(given["filling"]) != job["inputBytes"] or len(captured) != job["capturedBytes"]:
        raise Exception("the input or what was captured is damaged")
    for line in range(job["lines"]):
        print(f"line {line} of {given['index']}")


def finish(index):
    if index in job["exitsAt"] and is_first("exits", index):
        os._exit(3)
    if index in job["exhaustsAt"] and is_first("exhausts", index):
        kept = []
        while True:
            kept.append(bytearray(b"x") * (16 << 20))
            time.sleep(0.005)
    if index in job["flakyAt"] and is_first("flaky", index):
        raise Exception("not at the first time")
    if index in job["throwsAt"]:
        raise IndexError(f"input {index} is thrown back")
    if index in job["nestsAt"]:
        inner = remote_parallel_map(lambda x: x + 1, [index, index + 1, index + 2]).to_list()
        if inner != [index + 1, index + 2, index + 3]:
            raise Exception(f"its own job gave {inner}")
    write(f"end {index}")
    return {"index": index, "filling": bytes([index & 255]) * job["resultBytes"]}


def call(given):
    begin(given)
    compute(given["index"])
    return finish(given["index"])


async def call_async(given):
    begin(given)
    await asyncio.sleep(call_s(given["index"]))
    if given["index"] in job["nestsAt"]:
        return await asyncio.to_thread(finish, given["index"])
    return finish(given["index"])


def inputs():
    index = 0
    while job["isEndless"] or index < job["inputs"]:
        yield {"index": index, "filling": bytes(job["inputBytes"])}
        index += 1


def outcome_of(error):
    return getattr(error, "code", None) or getattr(error, "name", None) or type(error).__name__


def tell_value(index, value):
    right = value["index"] == index and value["filling"] == bytes([index & 255]) * job["resultBytes"]
    print(f"read {index} {'right' if right else 'wrong'}", flush=True)


results = 0


def spin(ms):
    end = time.perf_counter() + ms / 1000
    while time.perf_counter() < end:
        pass


def consume(stream):
    """After each result. Returns whether the reading stops here."""
    global results
    results += 1
    if job["consumerStallMs"] > 0 and results == -(-job["inputs"] // 3):
        spin(job["consumerStallMs"])
    if job["consumerPauseMs"] > 0 and results % 16 == 0:
        if job["isConsumerBusy"]:
            spin(job["consumerPauseMs"])
        else:
            time.sleep(job["consumerPauseMs"] / 1000)
    if attach_to is not None or job["ending"]["kind"] not in ("break", "cancel"):
        return False
    if results < job["ending"]["afterResults"]:
        return False
    if job["ending"]["kind"] == "cancel":
        stream.cancel()
    else:
        stream.close()
    return True


def read_all(stream, view):
    if view == "list":
        for index, value in enumerate(stream.to_list()):
            if value is not None:
                tell_value(index, value)
        return False
    if view == "values":
        for value in stream:
            tell_value(value["index"], value)
            if consume(stream):
                return True
        return False
    if view == "entries":
        for entry in stream.entries():
            tell_value(entry.index, entry.value)
            if consume(stream):
                return True
        return False
    for settled in stream.settled():
        if settled.status == "fulfilled":
            tell_value(settled.index, settled.value)
        else:
            print(f"read {settled.index} {outcome_of(settled.reason)}", flush=True)
        if consume(stream):
            return True
    return False


def main():
    options = dict(order=job["order"], on_error=job["onError"], concurrency=job["concurrency"], retries=job["retries"], detach=job["isDetached"], on_log=lambda line: None)
    if job["maxParallelism"] is not None:
        options["max_parallelism"] = job["maxParallelism"]
    if job["exhaustsAt"]:
        options["ram"] = "300 MiB"
    if attach_to is None:
        stream = remote_parallel_map(call_async if job["isAsync"] else call, inputs(), **options)
    else:
        stream = attach(attach_to, order=job["order"], on_log=lambda line: None)
    print(f"job {stream.job_id}", flush=True)
    try:
        if job["ending"]["kind"] == "leave" and attach_to is None:
            stream.wait_uploaded()
            print("over left", flush=True)
            return
        print("over stopped" if read_all(stream, job["view"] if attach_to is None else "settled") else "over done", flush=True)
    except BaseException as error:
        name = getattr(error, "name", None) or type(error).__name__
        print("over error " + json.dumps({"code": getattr(error, "code", None) or "", "name": name, "message": str(error)[:500]}), flush=True)


main()
