/** One process of a race. It opens a storage, and works when it is told to. */
import { clock } from "../../conformance/history/clock.ts";
import { fileJar } from "../../conformance/history/jar.ts";
import { serve } from "../../conformance/history/talk.ts";
import { work } from "../../conformance/history/work.ts";
import { reportingLog } from "../../conformance/history/log.ts";
import { Random } from "../../conformance/trial/random.ts";
import type { Done, Errand, Order } from "./_crew.ts";
import { crowd } from "./_crowd.ts";
import { type Opened, openStorage } from "./_engines.ts";
import { isConflict, portTo } from "./_race.ts";

let merges = 0;
let stopped = false;
let errand: Errand | undefined;
let opened: Opened | undefined;

async function open({ place, plan }: Errand): Promise<void> {
  const logins = "requests" in plan && plan.cookie === undefined;
  opened = await openStorage(place, {
    ...logins ? { owner: ({ user }) => user } : {},
    onEvent: ({ type }) => void (merges += type === "conflict" ? 1 : 0),
  });
  // Connects. Any id will do.
  await opened.storage.read("a".repeat(24));
}

function time(): number {
  return clock() + (errand?.ahead ?? 0);
}

async function go(): Promise<Done> {
  if (!opened || !errand) throw new Error("There is no open storage");
  const { storage, close } = opened;
  const { plan, seed, dir } = errand;
  let told: Done["told"];
  if ("requests" in plan) told = await crowd(storage, plan);
  else {
    await work(plan, {
      port: portTo(storage),
      jar: fileJar(dir),
      log: reportingLog(),
      random: new Random(seed),
      stopped: () => stopped,
      // An engine that is away is given time to come back.
      rest: () => new Promise((go) => setTimeout(go, 20)),
      ...{ clock: time, isConflict },
    });
  }
  await close();
  return { merges, ...told ? { told } : {} };
}

serve(async (order) => {
  const given = order as Order;
  if (given.do === "go") return await go();
  if (given.do === "clock") return time();
  if (given.do === "open") {
    errand = given.errand;
    await open(errand);
  }
  return null;
}, (order) => {
  stopped ||= (order as Order).do === "stop";
  return stopped;
});
