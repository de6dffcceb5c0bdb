"""Reads and writes a Modbus server with pymodbus (Debian: python3-pymodbus), an implementation of Modbus that is independent of ours.

    pymodbus_client.py tcp HOST PORT
    pymodbus_client.py rtu DEVICE BAUD

The server has unit 1 with 2000 of everything. Prints one JSON object: an answer for each question, by name.
"""
import json
import sys

from pymodbus import (
    diag_message, file_message, mei_message, other_message, register_read_message, register_write_message)
from pymodbus.client import ModbusSerialClient, ModbusTcpClient

UNIT = 1


def connect():
    if sys.argv[1] == "tcp":
        client = ModbusTcpClient(sys.argv[2], port=int(sys.argv[3]), timeout=5)
    else:
        client = ModbusSerialClient(port=sys.argv[2], baudrate=int(sys.argv[3]), parity="N", stopbits=1, bytesize=8, timeout=5)
    if not client.connect():
        sys.exit("cannot connect")
    return client


def ask(client, request):
    request.unit_id = UNIT
    answer = client.execute(request)
    if answer.isError():
        sys.exit(f"{request}: {answer}")
    return answer


def identification(client, code):
    """All objects, over as many transactions as it takes."""
    objects, first = {}, 0
    while True:
        answer = ask(client, mei_message.ReadDeviceInformationRequest(code, first))
        objects.update({str(key): value.decode() for key, value in answer.information.items()})
        if answer.more_follows != 0xFF:
            return objects
        first = answer.next_object_id


def main():
    client = connect()
    said = {}
    said["holding"] = client.read_holding_registers(100, 5, slave=UNIT).registers
    said["input"] = client.read_input_registers(0, 125, slave=UNIT).registers
    said["coils"] = [int(bit) for bit in client.read_coils(0, 2000, slave=UNIT).bits]
    said["discrete"] = [int(bit) for bit in client.read_discrete_inputs(3, 10, slave=UNIT).bits[:10]]
    said["write-register"] = client.write_register(1000, 77, slave=UNIT).value
    said["write-registers"] = client.write_registers(1001, [0x1234, 0xFFFF, 0], slave=UNIT).count
    said["write-coil"] = client.write_coil(1000, True, slave=UNIT).value
    said["write-coils"] = client.write_coils(1001, [True, False, True], slave=UNIT).count
    said["mask-write"] = ask(client, register_write_message.MaskWriteRegisterRequest(1000, 0xF2, 0x25)).or_mask
    said["read-write"] = ask(client, register_read_message.ReadWriteMultipleRegistersRequest(
        read_address=1000, read_count=3, write_address=1001, write_registers=[0xFFFF, 0])).registers
    said["no-such-address"] = client.read_holding_registers(60000, 2, slave=UNIT).exception_code
    said["exception-status"] = ask(client, other_message.ReadExceptionStatusRequest()).status
    said["query-data"] = ask(client, diag_message.ReturnQueryDataRequest(0xA537)).message
    said["bus-messages"] = ask(client, diag_message.ReturnBusMessageCountRequest()).message
    said["event-counter"] = ask(client, other_message.GetCommEventCounterRequest()).count
    said["event-log"] = ask(client, other_message.GetCommEventLogRequest()).message_count
    server_id = ask(client, other_message.ReportSlaveIdRequest())
    said["server-id"] = [server_id.identifier.hex(), server_id.status]
    said["identification"] = identification(client, 3)
    record = file_message.FileRecord(file_number=4, record_number=7, record_data=b"\x06\xAF\x04\xBE\x10\x0D")
    said["write-file"] = str(ask(client, file_message.WriteFileRecordRequest([record])).records[0].record_data.hex())
    read = file_message.FileRecord(file_number=4, record_number=7, record_length=3)
    said["read-file"] = str(ask(client, file_message.ReadFileRecordRequest([read])).records[0].record_data.hex())
    # Function 24 is not asked: this version takes the count of registers for a count of bytes.
    client.close()
    print(json.dumps(said))


main()
