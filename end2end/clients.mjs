// OpenAI's own client for node, unchanged, against an address: the simulator's or the door's.
//
//     node clients.mjs BASE_URL MODEL
//
// Prints a line for each check, and ends with 1 when one fails.
import assert from 'node:assert/strict';
import OpenAI from 'openai';

const [baseURL, model] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey: 'sk-placeholder', maxRetries: 0 });
const messages = [
  { role: 'system', content: 'Answer briefly.' },
  { role: 'user', content: 'Lanes runs tasks side by side. It says where the time goes. Why?' },
];

const checks = {
  async plain() {
    const answer = await client.chat.completions.create({ model, messages });
    assert.equal(answer.object, 'chat.completion');
    assert.ok(answer.choices[0].message.content);
    assert.ok(answer.usage.total_tokens > 0);
  },
  async stream() {
    const whole = await client.chat.completions.create({ model, messages });
    let text = '';
    let pieces = 0;
    for await (const piece of await client.chat.completions.create({ model, messages, stream: true })) {
      text += piece.choices[0]?.delta?.content ?? '';
      pieces += 1;
      assert.ok(!piece.usage);
    }
    assert.equal(text, whole.choices[0].message.content);
    assert.ok(pieces > 3);
  },
  async streamWithUsage() {
    const pieces = [];
    const stream = await client.chat.completions.create({
      model, messages, stream: true, stream_options: { include_usage: true },
    });
    for await (const piece of stream) pieces.push(piece);
    const last = pieces.at(-1);
    assert.deepEqual(last.choices, []);
    assert.ok(last.usage.completion_tokens > 0);
  },
  async streamHelper() {
    const runner = client.chat.completions.stream({ model, messages });
    const final = await runner.finalChatCompletion();
    assert.ok(final.choices[0].message.content);
  },
  async aborted() {
    const stream = await client.chat.completions.create({ model, messages, stream: true });
    for await (const piece of stream) {
      assert.ok(piece);
      break;
    }
    stream.controller.abort();
  },
  async models() {
    const listed = [];
    for await (const one of client.models.list()) listed.push(one.id);
    assert.ok(listed.includes(model), listed.join());
  },
  async badRequest() {
    await assert.rejects(client.chat.completions.create({ model, messages: [] }), (error) => {
      assert.ok(error instanceof OpenAI.BadRequestError, String(error));
      return true;
    });
  },
  async unknownModel() {
    await assert.rejects(
      client.chat.completions.create({ model: 'no-such-model', messages }),
      (error) => {
        assert.ok(error instanceof OpenAI.NotFoundError, String(error));
        assert.equal(error.code, 'model_not_found');
        return true;
      },
    );
  },
};

let failed = 0;
for (const [name, check] of Object.entries(checks)) {
  try {
    await check();
    console.log(`ok ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED ${name}: ${error}`);
  }
}
console.log(`  ${Object.keys(checks).length - failed} passed`);
if (failed > 0) {
  console.log(`  ${failed} failed`);
  process.exitCode = 1;
}
