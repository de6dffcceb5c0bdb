// Node-RED as a peer of "bench outbox f" and "bench modbus d": without its editor, and with the nodes of one package beside its own. With a store its context is kept on
// disk as its documentation has it (written 30 s after a change).
const store = process.env.PEER_STORE;

module.exports = {
    uiHost: "127.0.0.1",
    uiPort: process.env.PEER_PORT,
    httpAdminRoot: false,
    externalModules: { palette: { allowInstall: false, allowList: [process.env.PEER_NODES] } },
    contextStorage: store ? { default: { module: "localfilesystem", config: { dir: store } } } : {},
    logging: { console: { level: "warn" } },
};
