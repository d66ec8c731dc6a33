// node read.js BROKER REGISTRY TOPIC COUNT: decode messages from Kafka as a stranger does, by the schema id in their bytes.
import avro from 'avsc';
import kafkajs from 'kafkajs';
import lz4 from 'lz4js';

const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = kafkajs;
CompressionCodecs[CompressionTypes.LZ4] = () => ({ decompress: async (bytes) => Buffer.from(lz4.decompress(bytes)) });

const [broker, registry, topic, count] = process.argv.slice(2);
const types = new Map();

async function typeOf(id) {
  if (!types.has(id)) {
    const answer = await fetch(`${registry}/schemas/ids/${id}`);
    if (!answer.ok) throw new Error(`${registry} knows no schema ${id}: ${answer.status}`);
    types.set(id, avro.Type.forSchema(JSON.parse((await answer.json()).schema)));
  }
  return types.get(id);
}

async function decode({ key, value, headers, offset }, partition) {
  if (value[0] !== 0) throw new Error(`magic byte ${value[0]} at ${topic}[${partition}]@${offset}`);
  const schemaId = value.readUInt32BE(1);
  const type = await typeOf(schemaId);
  const texts = Object.fromEntries(Object.entries(headers).map(([name, bytes]) => [name, bytes.toString()]));
  return { partition, offset, key: key.toString(), headers: texts, schemaId, data: type.fromBuffer(value.subarray(5)) };
}

const kafka = new Kafka({ clientId: 'stranger', brokers: [broker], logLevel: logLevel.ERROR });
const consumer = kafka.consumer({ groupId: `${topic}-stranger` });
await consumer.connect();
await consumer.subscribe({ topics: [topic], fromBeginning: true });
const read = [];
const all = new Promise((done, failed) => {
  consumer
    .run({
      eachMessage: async ({ partition, message }) => {
        try {
          read.push(await decode(message, partition));
          if (read.length === Number(count)) done();
        } catch (error) {
          failed(error);
        }
      },
    })
    .catch(failed);
});
await all;
await consumer.disconnect();
console.log(JSON.stringify(read));
