// The flow of "bench modbus d": Node-RED reads 100 holding registers of each of so many Modbus TCP devices every second and publishes each read at once as one JSON
// message of 96 values with QoS 1. A connection and a read node for each device, with the settings that the editor gives to new ones, except that the connection's queue
// (bufferCommands) is off: at each command it goes through 256 unit ids, which about doubles the processor time, and here it has nothing to queue. The devices listen on
// successive ports of loopback; their registers are those of LoadDevice.cs with a value in nearly every register.
//   node modbus-flows.js FIRST_PORT DEVICES > flows.json
const [firstPort, devices] = process.argv.slice(2).map(Number);

const waves = Array.from({ length: 94 }, (_, i) => 6 + i)
    .map(address => `    { name: 'v${String(address).padStart(5, "0")}', value: registers[${address}] * 0.125, unit: '' },`);
const decode = `const registers = msg.payload;
const values = [
    { name: 'seq', value: registers[0] * 65536 + registers[1], unit: '' },
    { name: 'energy', value: Number(msg.responseBuffer.buffer.readBigUInt64BE(4)), unit: 'W.h' },
${waves.join("\n")}
];
return { topic: 'peer/' + msg.topic, payload: { time: new Date().toISOString(), device: msg.topic, values } };`;

const flows = [
    { id: "flow", type: "tab", label: "forward" },
    { id: "centre", type: "mqtt-broker", broker: "127.0.0.1", port: "${PEER_CENTRE}", clientid: "peer", autoConnect: true, protocolVersion: "4", keepalive: "60", cleansession: true },
    { id: "decode", type: "function", z: "flow", func: decode, outputs: 1, x: 400, y: 60, wires: [["send"]] },
    { id: "send", type: "mqtt out", z: "flow", broker: "centre", qos: "1", retain: "false", x: 600, y: 60, wires: [] },
];
for (let i = 0; i < devices; i++) {
    const name = `load${String(i).padStart(3, "0")}`;
    flows.push(
        {
            id: `client-${i}`, type: "modbus-client", name, clienttype: "tcp", bufferCommands: false, stateLogEnabled: false, queueLogEnabled: false, failureLogEnabled: true,
            tcpHost: "127.0.0.1", tcpPort: String(firstPort + i), tcpType: "DEFAULT", unit_id: "1", commandDelay: "1", clientTimeout: "1000", reconnectOnTimeout: true,
            reconnectTimeout: "2000", parallelUnitIdsAllowed: true,
        },
        {
            id: `read-${i}`, type: "modbus-read", z: "flow", name, topic: name, showStatusActivities: false, logIOActivities: false, showErrors: false, unitid: "1",
            dataType: "HoldingRegister", adr: "0", quantity: "100", rate: "1", rateUnit: "s", delayOnStart: false, server: `client-${i}`, useIOFile: false,
            useIOForPayload: false, emptyMsgOnFail: false, x: 160, y: 60 + 40 * i, wires: [["decode"], []],
        });
}

console.log(JSON.stringify(flows, null, 2));
