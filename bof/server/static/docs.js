// @ts-check
// The HTTP API for readers: a page made from the OpenAPI document that the server publishes.

import { h } from './dom.js';

/**
 * @typedef {{type?: string, format?: string, $ref?: string, items?: Schema, enum?: unknown[], anyOf?: Schema[],
 *   minimum?: number, maximum?: number, default?: unknown, examples?: unknown[]}} Schema
 * @typedef {{name: string, in: string, description?: string, required: boolean, schema: Schema}} Parameter
 * @typedef {Record<string, {schema?: Schema}>} Content
 * @typedef {{description: string, content?: Content}} Message
 * @typedef {{operationId: string, summary: string, description: string, tags: string[], parameters: Parameter[],
 *   requestBody?: {content: Content}, responses: Record<string, Message>}} Operation
 * @typedef {{info: {title: string, version: string, description: string}, servers: {url: string}[],
 *   tags: {name: string, description: string}[], paths: Record<string, Record<string, Operation>>,
 *   components: {schemas: Record<string, Schema>}}} Api
 */

const CHINESE = document.documentElement.lang === 'zh-Hans';
const WORDS = {
  title: ['The HTTP API', 'HTTP 接口'], skip: ['Skip to the content', '跳到内容'],
  filter: ['Find an endpoint', '查找接口'], none: ['No endpoint has these words.', '没有匹配的接口。'],
  parameters: ['Parameters', '参数'], body: ['What is sent', '请求内容'], answers: ['Answers', '响应'],
  example: ['Example', '示例'], required: ['required', '必填'], line: ['In a shell', '命令行'],
  failed: ['The document cannot be read; is the server running?', '无法读取接口文档；服务器在运行吗？'],
  document: ['The same for programs', '供程序使用的文档'],
};

/** @param {keyof typeof WORDS} key */
const word = (key) => WORDS[key][CHINESE ? 1 : 0] ?? '';

/** Text in which code stands between backticks. @param {string} text */
const marked = (text) => text.split('`').map((part, i) => i % 2 ? h('code', {}, part) : part);

/** What a schema takes, in a few words. @param {Schema} schema @returns {string} */
function kindOf(schema) {
  if (schema.$ref) return schema.$ref.split('/').pop() ?? '';
  if (schema.anyOf) return [...new Set(schema.anyOf.map(kindOf))].join(' | ');
  if (schema.enum) return schema.enum.map(String).join(' | ');
  if (schema.type === 'array') return `[${kindOf(schema.items ?? {})}, ...]`;
  const range = schema.maximum === undefined ? '' : ` ${schema.minimum ?? ''} … ${schema.maximum}`;
  return `${schema.format ?? schema.type ?? ''}${range}`;
}

/** @param {Parameter[]} parameters */
function parametersOf(parameters) {
  const rows = parameters.flatMap((one) => {
    const start = one.schema.default === undefined ? '' : ` = ${JSON.stringify(one.schema.default)}`;
    const more = one.required ? ` (${word('required')})` : '';
    const kind = h('code', { class: 'small' }, `${one.in}: ${kindOf(one.schema)}${start}`);
    return [h('dt', {}, h('code', {}, one.name)), h('dd', {}, kind, more, h('br'), ...marked(one.description ?? ''))];
  });
  return [h('h3', {}, word('parameters')), h('dl', {}, ...rows)];
}

/** Text that may be wider than the page. @param {string} label @param {string} text */
const scrolled = (label, text) => h('pre', { tabindex: 0, role: 'group', 'aria-label': label }, text);

/** An example of a schema that has a name. @param {Api} api @param {Schema} schema */
function exampleOf(api, schema) {
  const example = api.components.schemas[kindOf(schema)]?.examples?.[0];
  if (example === undefined) return [];
  const text = JSON.stringify(example, null, 2);
  return [h('details', {}, h('summary', {}, `${word('example')}: ${kindOf(schema)}`),
    scrolled(kindOf(schema), text))];
}

/** @param {Api} api @param {Content} content @returns {Node[]} */
function contentOf(api, content) {
  return Object.entries(content).map(([kind, { schema = {} }]) => h('div', {},
    h('code', {}, kind), ` ${schema.type === 'object' ? 'image' : kindOf(schema)}`, ...exampleOf(api, schema)));
}

/** @param {Api} api @param {string} method @param {string} path @param {Operation} operation */
function lineOf(api, method, path, operation) {
  const kinds = Object.keys(operation.requestBody?.content ?? {});
  const schema = operation.requestBody?.content['application/json']?.schema;
  const sent = schema && api.components.schemas[kindOf(schema)]?.examples?.[0];
  const body = sent ? ` --json '${JSON.stringify(sent)}'` : kinds.length ? ' -F image=@picture.jpg' : '';
  const header = operation.parameters.some((one) => one.name === 'X-Bof') ? " -H 'X-Bof: 1'" : '';
  return `curl -X ${method}${header}${body} '${location.origin}${api.servers[0]?.url ?? ''}${path}'`;
}

/** @param {Api} api @param {string} method @param {string} path @param {Operation} operation */
function operationOf(api, method, path, operation) {
  const good = Object.entries(operation.responses).filter(([status]) => Number(status) < 400);
  const bad = Object.entries(operation.responses).filter(([status]) => Number(status) >= 400);
  const answers = good.flatMap(([status, message]) => [h('dt', {}, status),
    h('dd', {}, message.description, ...contentOf(api, message.content ?? {}))]);
  const refusals = bad.map(([status, message]) => `${status} ${message.description}`).join('; ');
  const changes = operation.parameters.some((one) => one.name === 'X-Bof') || method === 'PUT' ? ' changes' : '';
  const body = operation.requestBody;
  return h('details', { class: 'operation', id: operation.operationId },
    h('summary', {}, h('code', { class: `method${changes}` }, method), h('code', {}, path),
      h('span', {}, operation.summary)),
    h('div', {}, h('p', {}, ...marked(operation.description)),
      ...(operation.parameters.length ? parametersOf(operation.parameters) : []),
      ...(body ? [h('h3', {}, word('body')), ...contentOf(api, body.content)] : []),
      h('h3', {}, word('answers')), h('dl', {}, ...answers), h('p', { class: 'small' }, refusals),
      h('h3', {}, word('line')),
      scrolled(word('line'), lineOf(api, method, path, operation))));
}

/** @param {Api} api */
function show(api) {
  const operations = Object.entries(api.paths).flatMap(([path, known]) => Object.entries(known).map(
    ([method, operation]) => ({ operation, made: operationOf(api, method.toUpperCase(), path, operation) })));
  const sections = api.tags.map((tag) => h('section', { id: `group-${tag.name}`, 'aria-label': tag.name },
    h('h2', {}, tag.name), h('p', { class: 'small' }, tag.description),
    ...operations.filter((one) => one.operation.tags[0] === tag.name).map((one) => one.made)));
  const links = api.tags.map((tag) => h('a', { href: `#group-${tag.name}` }, tag.name));
  const filter = h('input', { type: 'search', id: 'filter', autocomplete: 'off' });
  const none = h('p', { role: 'status' });
  filter.addEventListener('input', () => {
    const words = filter.value.toLowerCase().split(/\s+/);
    for (const { made } of operations) {
      const text = (made.querySelector('summary')?.textContent ?? '').toLowerCase();
      made.hidden = !words.every((one) => text.includes(one));
    }
    for (const section of sections) section.hidden = !section.querySelector('.operation:not([hidden])');
    none.textContent = sections.every((section) => section.hidden) ? word('none') : '';
  });
  document.getElementById('main')?.replaceChildren(
    h('h1', {}, word('title')), h('p', {}, ...marked(api.info.description)),
    h('p', {}, h('a', { href: 'api/v1/openapi.json' }, word('document'))),
    h('nav', { class: 'groups', 'aria-label': word('title') }, ...links),
    h('label', { for: 'filter' }, word('filter')), filter, none, ...sections);
  document.getElementById('version')?.replaceChildren(api.info.version);
}

/** Open what the address names. */
function openNamed() {
  const found = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (found instanceof HTMLDetailsElement) found.open = true;
  found?.scrollIntoView();
}

document.title = `bof: ${word('title')}`;
document.getElementById('skip')?.replaceChildren(word('skip'));
try {
  const response = await fetch('api/v1/openapi.json');
  if (!response.ok) throw new Error(String(response.status));
  show(/** @type {Api} */ (await response.json()));
  openNamed();
  addEventListener('hashchange', openNamed);
} catch {
  document.getElementById('main')?.replaceChildren(h('p', { role: 'alert' }, word('failed')));
}
