import { must } from "../rule.ts";
import type { DraftedRule } from "../rule.ts";
import type { EngineTrial } from "../engine_trial.ts";

/** Several instances, namespaces, restarts. */
export const instances: readonly DraftedRule[] = [
  must("ENGINE-23", {
    needs: ["shared"],
    sentence:
      "Once a call has resolved, every later read sees its effect, in every instance, also if that instance has read the record before.",
    why:
      "A site runs in several processes. If one of them answers from a copy of its own, a logout does not reach it.",
    async check(e, a) {
      const b = await e.open(a.namespace);
      const key = e.key();
      await e.holds(b, key, null, "a record that was never written is there");
      const expires = e.soon;
      await a.write(key, "[1]", { expires });
      const first = { value: "[1]", expires };
      await e.holds(
        b,
        key,
        first,
        "the other instance does not see a new record",
      );
      const changed = { value: "[2]", expires: e.soon };
      await a.write(key, changed.value, { expires: changed.expires });
      await e.holds(b, key, changed, "the other instance does not see a write");
      if (e.has("touch", a)) {
        const touched = { value: "[2]", expires: e.soon };
        await a.touch(key, touched.expires);
        await e.holds(
          b,
          key,
          touched,
          "the other instance does not see touch()",
        );
      }
      await a.delete(key);
      await e.holds(b, key, null, "the other instance does not see a delete");
      await a.write(key, "[3]", { expires });
      const again = { value: "[3]", expires };
      await e.holds(
        b,
        key,
        again,
        "the other instance does not see a new record",
      );
      await b.delete(key);
      await e.holds(a, key, null, "the other instance does not see a delete");
    },
  }),
  must("ENGINE-24", {
    needs: ["namespaces"],
    sentence:
      "Engines in two namespaces have separate records, even if the name of one begins with the name of the other.",
    why:
      "Two sites on one database must not see, sweep or delete each other's sessions.",
    async check(e, a) {
      const name = e.trial.namespace();
      const names = [name, `${name}0`, name.slice(0, -1)];
      const key = e.key();
      const other = e.key();
      const open = [];
      for (const namespace of names) open.push(await e.open(namespace));
      const what = "a namespace has the record of another";
      for (const [i, engine] of open.entries()) {
        await e.holds(engine, key, null, what);
        await engine.write(key, `[${i}]`, { expires: e.soon });
      }
      for (const [i, engine] of open.entries()) {
        await e.holds(engine, key, { value: `[${i}]` }, what);
      }
      const [middle, longer, shorter] = open as [
        typeof a,
        typeof a,
        typeof a,
      ];
      await middle.delete(key);
      await middle.write(other, "[9]", { expires: e.soon });
      const reached = "a change in one namespace reaches another";
      for (const [i, engine] of [longer, shorter].entries()) {
        await e.holds(engine, key, { value: `[${i + 1}]` }, reached);
        await e.holds(engine, other, null, reached);
      }
      if (!e.has("sweep", a)) return;
      await middle.sweep(e.soon + 3_600_000);
      for (const [i, engine] of [longer, shorter].entries()) {
        const swept = "sweep() removes the records of another namespace";
        await e.holds(engine, key, { value: `[${i + 1}]` }, swept);
      }
    },
  }),
  must("ENGINE-25", {
    needs: ["close"],
    sentence:
      "`close` may be called twice, and before any other call. Under `shared`, the other instances continue to work.",
    why:
      "A process that stops closes its engine. That must neither fail nor end the connections of what still runs.",
    async check(e, a) {
      const key = e.key();
      await a.write(key, "[1]", { expires: e.soon });
      if (e.has("shared", a)) {
        const b = await e.open(a.namespace);
        await e.holds(b, key, { value: "[1]" }, "a record is not found");
        await b.close();
        await stillWorks(e, a, key);
        await b.close();
        await stillWorks(e, a, key);
        const unused = await e.open(a.namespace);
        await unused.close();
        await stillWorks(e, a, key);
      } else {
        const unused = await e.open();
        await unused.close();
        await unused.close();
      }
      await a.close();
      await a.close();
    },
  }),
  must("ENGINE-26", {
    needs: ["durable"],
    sentence:
      "A record is there after `close` and a new `open`: its value, its deadline and its version.",
    why: "Otherwise each deployment of the site signs everybody out.",
    async check(e, a) {
      const keys = [e.key(), e.key()];
      const [kept, deleted] = keys as [string, string];
      const expires = e.soon;
      const version = await a.write(kept, '["é"]', { expires });
      await a.write(deleted, "[2]", { expires });
      await a.delete(deleted);
      if (e.has("close", a)) await a.close();
      const again = await e.open(a.namespace);
      await e.holds(
        again,
        kept,
        { value: '["é"]', expires },
        "a record is lost or changed by a restart",
      );
      await e.holds(again, deleted, null, "a restart brings a record back");
      if (!e.has("compareAndSet", again)) return;
      const next = await again.write(kept, "[3]", {
        expires,
        ifVersion: version,
      });
      e.trial.ok(next !== null, "a restart changes the version of a record");
    },
  }),
];

async function stillWorks(
  e: EngineTrial,
  a: Awaited<ReturnType<EngineTrial["open"]>>,
  key: string,
): Promise<void> {
  const value = `["${e.random.word(4)}"]`;
  await a.write(key, value, { expires: e.soon });
  const what = "after close() of another instance, this one does not work";
  await e.holds(a, key, { value }, what);
}
