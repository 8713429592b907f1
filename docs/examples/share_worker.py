#!/usr/bin/env python3
"""A Weir worker without any C++: takes shares of one step of a flow and runs them. Needs psql alone.
usage: share_worker.py DATABASE_URL FLOW STEP"""
import json, os, socket, subprocess, sys, time

url, flow, step = sys.argv[1:]
psql = subprocess.Popen(["psql", "-XqAt", url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

def sql(query, *values):
    """The rows of a query, as a list of objects; None when the database refused it (psql says why)."""
    literals = ["'" + str(value).replace("'", "''") + "'" for value in values]
    psql.stdin.write(f"select coalesce(jsonb_agg(q), '[]') from ({query.format(*literals)}) q;\n\\echo .\n")
    lines = list(iter(lambda: psql.stdout.readline().strip() or sys.exit("psql ended"), "."))
    return json.loads(lines[0]) if lines else None

def handle(element):  # your code: the output of one element
    return {"element": element, "by": f"python {os.getpid()}"}

worker = sql("select weir.join_as_worker({}, {}, 1, 15000) as id", socket.gethostname(), os.getpid())[0]["id"]
versions = sql("select weir.serve_flow({}, {})::text as ids", worker, flow)[0]["ids"]
while sql("select weir.renew({}, 15000)", worker):  # refused: it was declared dead and must join again
    shares = sql("select * from weir.take_shares({}, {}::int[], 1, array[{}])", worker, versions, step)
    for share in shares or []:
        for index, element in zip(share["indexes"], share["inputs"]):
            try:
                result = {"index": index, "output": handle(element)}
            except Exception as failure:
                result = {"index": index, "outcome": "failed", "error_code": "python", "error": str(failure)}
            if sql("select weir.settle_share({}, {}, {})", worker, share["share"], json.dumps([result])) is None:
                break  # the share is not ours any more
            sql("select weir.renew({}, 15000)", worker)
    if not shares:
        time.sleep(0.2)
