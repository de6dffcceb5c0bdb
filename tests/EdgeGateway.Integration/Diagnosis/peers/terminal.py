"""Runs a program on a real terminal (pty) and plays a person: waits for a text, then types.

terminal.py STEPS PROGRAM ARGUMENTS...   STEPS is JSON: [["text to wait for", "keys to type"], ...]
Prints what a person would have read, without control sequences. Exit code: the program's; 99 when a text never came.
"""
import fcntl, json, os, pty, re, select, struct, sys, termios, time

steps = json.loads(sys.argv[1])
child, terminal = pty.fork()
if child == 0:
    os.environ["TERM"] = "xterm"
    os.execvp(sys.argv[2], sys.argv[2:])
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 140, 0, 0))

heard, seen, patience = b"", 0, time.monotonic() + 300
control = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07|\x1b[=>]")


def text():
    return control.sub("", heard.decode("utf-8", "replace")).replace("\r", "")


over = False
while not over:
    ready, _, _ = select.select([terminal], [], [], 0.2)
    if ready:
        try:
            data = os.read(terminal, 65536)
        except OSError:
            data = b""
        over = not data
        heard += data
        if b"\x1b[6n" in data:
            os.write(terminal, b"\x1b[1;1R")
    if steps:
        at = text().find(steps[0][0], seen)
        if at >= 0:
            seen = at + len(steps[0][0])
            time.sleep(0.3)
            os.write(terminal, steps.pop(0)[1].encode())
    if time.monotonic() > patience:
        print(text())
        print("never came:", steps[0][0] if steps else "the end")
        os.kill(child, 9)
        sys.exit(99)
print(text())
_, status = os.waitpid(child, 0)
sys.exit(os.waitstatus_to_exitcode(status))
