# A device on a pseudo-terminal that answers only when the other side has set its own baud rate, as a real one would.
# usage: settings_server.py LINK BAUD UNIT [UNIT...]      prints "ready 1"; ends when standard input closes
import fcntl, os, pty, select, struct, sys, tty

link, baud, units = sys.argv[1], int(sys.argv[2]), {int(u) for u in sys.argv[3:]}
master, slave = pty.openpty()
tty.setraw(slave)
os.symlink(os.ttyname(slave), link)
print("ready 1", flush=True)


def crc(data):
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1
    return struct.pack("<H", value)


def speed():
    # struct termios2 of the slave, asked through the master: TCGETS2; the output speed is its last word.
    return struct.unpack_from("<I", fcntl.ioctl(master, 0x802C542A, bytes(44)), 40)[0]


buffer = b""
while True:
    ready, _, _ = select.select([master, sys.stdin], [], [])
    if sys.stdin in ready and not sys.stdin.buffer.raw.read(1):
        sys.exit()
    if master not in ready:
        continue
    buffer += os.read(master, 256)
    while len(buffer) >= 4:
        size = 8 if 1 <= buffer[1] <= 6 else 7 if buffer[1] == 0x2B else 4
        if len(buffer) < size:
            break
        frame, buffer = buffer[:size], buffer[size:]
        if frame[0] not in units or crc(frame[:-2]) != frame[-2:] or speed() != baud:
            continue
        if frame[1] == 3 and struct.unpack(">HH", frame[2:6]) == (0, 1):
            reply = frame[:2] + b"\x02\x00\x07"
        else:
            reply = bytes([frame[0], frame[1] | 0x80, 2])
        os.write(master, reply + crc(reply))
