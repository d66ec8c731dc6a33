// node validate.js FILE: validate an AsyncAPI document with AsyncAPI's own parser; print its diagnostics as JSON.
import { readFile } from 'node:fs/promises';
import { AvroSchemaParser } from '@asyncapi/avro-schema-parser';
import { Parser } from '@asyncapi/parser';

const parser = new Parser();
parser.registerSchemaParser(AvroSchemaParser());
const { document, diagnostics } = await parser.parse(await readFile(process.argv[2], 'utf8'));
const found = diagnostics.map(({ code, message, path, severity }) => ({ code, message, path: path.join('.'), severity }));
const channels = document ? document.channels().all().map((channel) => channel.id()) : [];
console.log(JSON.stringify({ diagnostics: found, channels }));
