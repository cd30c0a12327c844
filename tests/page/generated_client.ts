// What a programmer writes who has made a client of the server's OpenAPI document: add, search, fetch.
// tests/server/test_generated_clients.py generates ./client beside a copy of this file, and compiles and runs both.
import { readFileSync } from 'node:fs';
import { addImages, listImages, search, sendFile, showJob, tagImage } from './client/sdk.gen.js';
import { client } from './client/client.gen.js';

const [address = '', picture = ''] = process.argv.slice(2);
client.setConfig({ baseUrl: `${address}/api/v1`, throwOnError: true });
const file = new File([readFileSync(picture)], 'added by a generated client.png');

const added = await addImages({ headers: { 'X-Bof': '1' }, body: { image: [file] }, throwOnError: true });
let { job } = added.data;
while (job.state === 'queued' || job.state === 'running') {
  await new Promise((resolve) => setTimeout(resolve, 20));
  job = (await showJob({ path: { job: job.id }, throwOnError: true })).data;
}
const found = await search({ body: file, query: { top: 1, verdict: ['same'] }, throwOnError: true });
const hit = found.data.hits[0];
if (hit === undefined || hit.id !== job.images[0]) throw new Error(JSON.stringify(found.data));

const original = await sendFile({ path: { id: hit.id }, throwOnError: true });
const tagged = await tagImage({ path: { id: hit.id }, body: { tags: ['generated'] }, throwOnError: true });
const listed = await listImages({ query: { tag: ['generated'], sort: 'newest' }, throwOnError: true });
const missing = await sendFile({ path: { id: 999999 }, throwOnError: false });
console.log(JSON.stringify({
  name: hit.name, verdict: hit.verdict, bytes: original.data.size, tagged: 'tags' in tagged.data,
  total: listed.data.total, missing: missing.error?.status,
}));
