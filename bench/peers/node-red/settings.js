// The peer of "bench outbox f": Node-RED without its editor, its context on disk as its documentation has it (written 30 s after a change).
module.exports = {
    uiHost: "127.0.0.1",
    uiPort: process.env.PEER_PORT,
    httpAdminRoot: false,
    contextStorage: { default: { module: "localfilesystem", config: { dir: process.env.PEER_STORE } } },
    logging: { console: { level: "warn" } },
};
