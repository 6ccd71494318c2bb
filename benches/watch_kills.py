#!/usr/bin/env python3
"""Kills a watch at random while sixty people are dropped and the receiver errs, stalls and hangs up.

    benches/watch_kills.py target/release/why401

Prints how many messages came, for how many people, under how many keys: 60 people, 60 keys, nobody under two.
"""
import datetime
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

random.seed(7)
WHY401 = os.path.abspath(sys.argv[1])
PEOPLE = range(1, 61)
taken = []


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        mood = random.random()
        if mood < 0.15:
            self.send_response(503)
            self.end_headers()
            return
        if mood < 0.25:
            self.connection.close()
            return
        if mood < 0.30:
            time.sleep(11)  # longer than a watch waits: it is sent again
        taken.append(json.loads(body))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def request(number, person, path, action, more):
    now = datetime.datetime.now(datetime.timezone.utc)
    head = f"I, [{now:%Y-%m-%dT%H:%M:%S.%f} #77]  INFO -- : [{number:08x}-0000-4000-8000-{person:012x}]"
    first = f'Started POST "/api/v1/auth/{path}" for 198.51.100.{person} at {now:%Y-%m-%d %H:%M:%S} +0000'
    return "".join(f"{head} {line}\n" for line in [first, f"Processing by Api::V1::AuthController#{action} as JSON", *more])


def sign_in(person):
    more = ['  Parameters: {"email"=>"[FILTERED]", "password"=>"[FILTERED]"}', f"[Auth] login ok user_id={person}", "Completed 200 OK in 10ms"]
    return request(person, person, "login", "login", more)


def failed_refresh(person):
    more = ['  Parameters: {"refresh_token"=>"[FILTERED]"}', "Completed 500 Internal Server Error in 10ms"]
    return request(1000 + person, person, "refresh", "refresh", more)


server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=server.serve_forever, daemon=True).start()
os.chdir(tempfile.mkdtemp())
log = open("production.log", "a")
log.writelines(map(sign_in, PEOPLE))
log.flush()
url = f"http://127.0.0.1:{server.server_port}/hook"
command = [WHY401, "watch", "--notify", url, "--no-redact", "--spool", "spool", "production.log"]


def begin():
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def opened():
    return [message for message in list(taken) if message["event"] == "opened"]


watch, kills = begin(), 0
time.sleep(0.5)
for person in PEOPLE:
    log.write(failed_refresh(person))
    log.flush()
    time.sleep(random.random() / 2)
    if random.random() < 0.6:
        watch.send_signal(signal.SIGKILL)
        watch.wait()
        kills += 1
        watch = begin()
        time.sleep(random.random() * 0.4)
end = time.time() + 120
while time.time() < end:
    people = {message["incident"]["actor"]["user"] for message in opened()}
    if len(people) == len(PEOPLE) and not any(name.endswith(".json") for name in os.listdir("spool/notify")):
        break
    time.sleep(0.3)
watch.send_signal(signal.SIGINT)
watch.wait()
keys = {}
for message in opened():
    keys.setdefault(message["incident"]["actor"]["user"], set()).add(message["dedup_key"])
all_keys = set().union(*keys.values())
print(f"{kills} kills; {len(opened())} messages for {len(keys)} people under {len(all_keys)} keys")
sys.exit(len(keys) != len(PEOPLE) or len(all_keys) != len(PEOPLE))
