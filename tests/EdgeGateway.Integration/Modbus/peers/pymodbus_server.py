"""Serves image.json with pymodbus (Debian: python3-pymodbus), an implementation of Modbus that is independent of ours.

    pymodbus_server.py IMAGE tcp|rtu-over-tcp|ascii-over-tcp|udp HOST PORT
    pymodbus_server.py IMAGE rtu|ascii DEVICE BAUD PARITY STOPBITS

Prints "ready PORT" when it serves (port 0 takes a free one), and ends when its standard input is closed.
"""
import asyncio
import json
import sys

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.device import ModbusDeviceIdentification
from pymodbus.server.async_io import ModbusSerialServer, ModbusTcpServer, ModbusUdpServer
from pymodbus.transaction import ModbusAsciiFramer, ModbusRtuFramer, ModbusSocketFramer

SIZE = 2000

IDENTITY = ModbusDeviceIdentification(info_name={
    "VendorName": "Example", "ProductCode": "EX-1", "MajorMinorRevision": "V2.11", "VendorUrl": "https://example.test",
    "ProductName": "Meter", "ModelName": "m" * 200, "UserApplicationName": "u" * 100})


def load(path):
    with open(path, encoding="utf-8") as file:
        image = json.load(file)
    tables = {name: [0] * SIZE for name in ("coil", "discrete", "input", "holding")}
    for block in image["blocks"]:
        words = [int(word, 16) if isinstance(word, str) else word for word in block["words"]]
        start = block["address"]
        tables[block["table"]][start:start + len(words)] = words
    unit = ModbusSlaveContext(
        co=ModbusSequentialDataBlock(0, tables["coil"]),
        di=ModbusSequentialDataBlock(0, tables["discrete"]),
        ir=ModbusSequentialDataBlock(0, tables["input"]),
        hr=ModbusSequentialDataBlock(0, tables["holding"]),
        zero_mode=True,
    )
    return ModbusServerContext(slaves={image["unit"]: unit}, single=False)


async def wait_for_end_of_input():
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


async def serve():
    context = load(sys.argv[1])
    mode = sys.argv[2]
    if mode == "udp":
        server = ModbusUdpServer(context, identity=IDENTITY, framer=ModbusSocketFramer, address=(sys.argv[3], int(sys.argv[4])))
        serving = asyncio.create_task(server.serve_forever())
        await server.serving
        port = server.protocol.get_extra_info("sockname")[1]
    elif mode in ("tcp", "rtu-over-tcp", "ascii-over-tcp"):
        framer = {"tcp": ModbusSocketFramer, "rtu-over-tcp": ModbusRtuFramer, "ascii-over-tcp": ModbusAsciiFramer}[mode]
        server = ModbusTcpServer(context, identity=IDENTITY, framer=framer, address=(sys.argv[3], int(sys.argv[4])))
        serving = asyncio.create_task(server.serve_forever())
        await server.serving
        port = server.server.sockets[0].getsockname()[1]
    else:
        server = ModbusSerialServer(
            context, identity=IDENTITY, framer=ModbusAsciiFramer if mode == "ascii" else ModbusRtuFramer, port=sys.argv[3], baudrate=int(sys.argv[4]), parity=sys.argv[5],
            stopbits=int(sys.argv[6]), bytesize=8, timeout=1, ignore_missing_slaves=True)
        await server.start()
        if server.transport is None:
            sys.exit(f"{sys.argv[3]} cannot be opened with these settings (pymodbus does not say why)")
        serving = asyncio.create_task(server.serve_forever())
        port = 0
    print(f"ready {port}", flush=True)
    await wait_for_end_of_input()
    serving.cancel()


asyncio.run(serve())
