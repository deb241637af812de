// Asks a Modbus TCP server: node read.js HOST PORT < requests.json > answers.json
// A request is {unit, fc, address, count}; its answer is a list of numbers (bits as 0 and 1), or {exception: code}.
// Neighbour: tests/wire/test_serve.py. Needs modbus-serial in NODE_PATH.
const ModbusClient = require("modbus-serial");

const READS = { 1: "readCoils", 2: "readDiscreteInputs", 3: "readHoldingRegisters", 4: "readInputRegisters" };

async function ask(client, { unit, fc, address, count }) {
  client.setID(unit);
  try {
    const { data } = await client[READS[fc]](address, count);
    return data.slice(0, count).map(Number);
  } catch (error) {
    if (error.modbusCode === undefined) throw error;
    return { exception: error.modbusCode };
  }
}

async function main([host, port]) {
  const requests = JSON.parse(require("fs").readFileSync(0, "utf8"));
  const client = new ModbusClient();
  await client.connectTCP(host, { port: Number(port) });
  client.setTimeout(2000);
  const answers = [];
  for (const request of requests) answers.push(await ask(client, request));
  client.close(() => {});
  console.log(JSON.stringify(answers));
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error.message);
  process.exit(1);
});
