// The store in this process keeps the contract that the engine counts on.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { memoryStore } from 'scimlock';

const bytes = (text) => new TextEncoder().encode(text);

test('puts are compare-and-set, and what is over is not shown', (t) => {
  t.mock.timers.enable({ apis: ['Date'] });
  const store = memoryStore();
  assert.equal(store.atomic, true);
  assert.equal(store.get('a'), undefined);
  assert.equal(store.put('a', bytes('1'), { expect: 7, ttl: 10 }), false);
  assert.equal(store.put('a', bytes('1'), { expect: 0, ttl: 10 }), true);
  assert.equal(store.put('a', bytes('2'), { expect: 0, ttl: 10 }), false);
  const { value, version } = store.get('a');
  assert.deepEqual(value, bytes('1'));
  t.mock.timers.tick(10);
  assert.deepEqual(store.get('a'), { value: undefined, version });
  assert.equal(store.put('a', bytes('2'), { expect: version, ttl: 10 }), true);
  assert.equal(store.put('a', bytes('3'), { expect: version, ttl: 10 }), false);
  assert.equal(store.put('a', bytes('3'), { ttl: 10 }), true);
  assert.deepEqual(store.get('a').value, bytes('3'));
});

test('numbers end together, ttl after the first', (t) => {
  t.mock.timers.enable({ apis: ['Date'] });
  const store = memoryStore();
  const sums = [[0, 2, 2], [5, 3, 5], [4, -1, 4], [1, 1, 1], [9, 1, 2], [1, 7, 7]];
  for (const [later, delta, sum] of sums) {
    t.mock.timers.tick(later);
    assert.equal(store.add('n', delta, 10), sum);
  }
});

test('what is over is swept', (t) => {
  t.mock.timers.enable({ apis: ['Date'] });
  const store = memoryStore();
  for (let key = 0; key < 4095; key += 1) store.put(`k${key}`, bytes('x'), { ttl: 10 });
  t.mock.timers.tick(10);
  store.put('last', bytes('x'), { ttl: 10 });
  assert.equal(store.get('k0'), undefined);
  assert.notEqual(store.get('last'), undefined);
});
