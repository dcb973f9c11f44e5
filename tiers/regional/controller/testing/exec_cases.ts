import assert from "node:assert/strict";
import {
  EXEC_FLOW,
  EXEC_REPORT,
  EXEC_REQUEST,
  EXEC_START,
  PIECE_BYTES,
  WINDOW_BYTES,
} from "../../../../shared/exec/mod.ts";
import { Status } from "../../../../shared/rpc/mod.ts";
import {
  CloudletInfoKind,
  type DeepPartial,
  dme,
  ExecFlow,
  ExecOutput,
  ExecReport,
  ExecRequest,
  ExecStart,
} from "../../../../shared/schema/mod.ts";
import type { Store } from "../../../../shared/store/mod.ts";
import type { FakeSite } from "./fake_site.ts";
import { type ApiCase, refused } from "./support.ts";
import { all, cloudlet, furnish, instance, lines, until, World } from "./world.ts";

function about(more: DeepPartial<ExecRequest> = {}): ExecRequest {
  return ExecRequest.create({ appInstKey: instance().key, ...more });
}

const LOGS = about({ log: { follow: true } });
const COMMAND = about({ cmd: { command: "ls -l" } });

/** What a site has been asked for, and a way to answer. */
interface Asked {
  readonly start: ExecStart;
  readonly id: string;
  granted: number;
  stopped: boolean;
  sent: number;
  send(output: DeepPartial<ExecOutput>, err?: string): void;
}

/** Takes what a site is asked for. */
function takes(site: FakeSite): Asked[] {
  const asked: Asked[] = [];
  site.client.onMessage(EXEC_START, (value, { correlation }) => {
    const start = ExecStart.decode(value);
    const one: Asked = {
      start,
      id: correlation,
      granted: start.granted,
      stopped: false,
      sent: 0,
      send(output, err = "") {
        const report = ExecReport.create({ offset: one.sent, output: ExecOutput.create(output), err });
        one.sent += report.output!.data.length;
        site.client.send(EXEC_REPORT, ExecReport.encode(report), { correlation });
      },
    };
    asked.push(one);
  });
  site.client.onMessage(EXEC_FLOW, (value, { correlation }) => {
    const { granted, stop } = ExecFlow.decode(value);
    const one = asked.find(({ id }) => id === correlation)!;
    one.granted = Math.max(one.granted, granted);
    one.stopped ||= stop;
  });
  return asked;
}

async function running(store: Store, edgeTurnAddr = "") {
  const world = await World.start({ store, parts: { edgeTurnAddr } });
  const site = await furnish(world);
  await lines(world.api.instances.createAppInst(instance()));
  return { world, site, asked: takes(site), exec: world.api.exec };
}

/** Shells, commands and logs. */
export const execCases: ApiCase[] = [
  {
    name: "requests for output and shells are checked, all faults at once, before anybody is asked",
    async run(store) {
      const { world, asked, exec } = await running(store);
      await using _world = world;
      const wrong = about({ containerId: "a/b", cmd: { command: "echo 'oh" }, log: { since: "soon", tail: -1 } });
      await refused(all(exec.streamCommand(wrong)), Status.INVALID_ARGUMENT, /container_id.*; cmd\.command.*quote/);
      await refused(all(exec.streamLogs(wrong)), Status.INVALID_ARGUMENT, /container_id.*; log\.since.*; log\.tail/);
      await refused(all(exec.streamCommand(about())), Status.INVALID_ARGUMENT, /cmd\.command.*must name a program/);
      await refused(all(exec.streamLogs(ExecRequest.create())), Status.INVALID_ARGUMENT, /app_key\.name/);
      const elsewhere = about({ log: { since: "2026-01-02T03:04:05Z" } });
      elsewhere.appInstKey.appKey.version = "none";
      await refused(all(exec.streamLogs(elsewhere)), Status.NOT_FOUND, /AppInst key .* not found/);
      await refused(exec.runConsole(about()), Status.FAILED_PRECONDITION, /vm apps only/);
      for (const call of [exec.runCommand(COMMAND), exec.showLogs(LOGS)]) {
        await refused(call, Status.FAILED_PRECONDITION, /EdgeTurn address must be configured/);
      }
      const management = ExecRequest.create({ appInstKey: { clusterInstKey: { cloudletKey: cloudlet().key } } });
      await refused(exec.accessCloudlet(management), Status.FAILED_PRECONDITION, /EdgeTurn address must be/);
      management.appInstKey.clusterInstKey.cloudletKey.name = "none";
      await refused(exec.accessCloudlet(management), Status.NOT_FOUND, /Cloudlet key .* not found/);
      assert.equal(asked.length, 0);
    },
  },
  {
    name: "with a relay for shells the site's answer says where it is, or why not",
    async run(store) {
      const { world, site, exec } = await running(store, "turn.example:6080");
      await using _world = world;
      const seen: ExecRequest[] = [];
      site.client.onMessage(EXEC_REQUEST, (value, { correlation }) => {
        const request = ExecRequest.decode(value);
        assert.equal(request.offer, correlation);
        seen.push(request);
        const answer = request.cmd ? { accessUrl: "wss://turn.example/edgeshell?edgetoken=x" } : { err: "no disk" };
        const bytes = ExecRequest.encode(ExecRequest.create({ ...request, ...answer }));
        site.client.send(EXEC_REQUEST, bytes, { correlation });
      });
      const answer = await exec.runCommand(COMMAND);
      assert.equal(answer.accessUrl, "wss://turn.example/edgeshell?edgetoken=x");
      await refused(exec.showLogs(LOGS), Status.UNKNOWN, /^no disk$/);
      await exec.runCommand(COMMAND);
      assert.equal(seen[0]!.edgeTurnAddr, "turn.example:6080");
      assert.equal(seen[0]!.timeout, 60_000_000_000);
      assert.ok(seen[0]!.offer < seen[2]!.offer, "ids sort by time");
      const audited = world.log.records.filter(({ message }) => message === "exec");
      assert.deepEqual(audited.map(({ command }) => command), ["ls -l", "ls -l"]);
    },
  },
  {
    name: "output comes as it is sent, with its end and exit code, and only within the window",
    async run(store) {
      const { world, asked, exec } = await running(store);
      await using _world = world;
      const reader = exec.streamCommand(COMMAND)[Symbol.asyncIterator]();
      const first = reader.next();
      await until(() => asked.length === 1, "the site is asked");
      const [one] = asked;
      assert.equal(one!.start.request!.cmd!.command, "ls -l");
      assert.equal(one!.start.request!.appInstKey.clusterInstKey.clusterKey.name, "defaultclust");
      one!.send({});
      assert.equal((await first).value!.data.length, 0);
      // A site that sends as much as it may; a reader who takes it all.
      const total = 20 * WINDOW_BYTES;
      const sending = (async () => {
        while (one!.sent < total) {
          await until(() => one!.granted >= one!.sent + PIECE_BYTES, "there is room");
          one!.send({ data: new Uint8Array(PIECE_BYTES).fill(one!.sent / PIECE_BYTES) });
          assert.ok(one!.granted <= one!.sent + WINDOW_BYTES);
        }
        one!.send({ ended: true, exitCode: 3 });
      })();
      let received = 0;
      let exitCode: number | undefined;
      for (;;) {
        const next = await reader.next();
        if (next.done) break;
        const { data, ended } = next.value;
        if (data.length > 0) assert.equal(data[0], (received / PIECE_BYTES) % 256);
        received += data.length;
        if (ended) exitCode = next.value.exitCode;
      }
      await sending;
      assert.deepEqual([received, exitCode], [total, 3]);
      assert.equal(one!.stopped, false, "what has come to its end is not stopped");
      const audited = world.log.records.filter(({ message }) => message === "exec");
      assert.deepEqual(audited.map(({ command }) => command), ["ls -l"]);
    },
  },
  {
    name: "a reader who leaves stops the source",
    async run(store) {
      const { world, asked, exec } = await running(store);
      await using _world = world;
      const reader = exec.streamLogs(LOGS)[Symbol.asyncIterator]();
      const first = reader.next();
      await until(() => asked.length === 1, "the site is asked");
      asked[0]!.send({ data: new Uint8Array(1) });
      assert.equal((await first).value!.data.length, 1);
      await reader.return!();
      await until(() => asked[0]!.stopped, "the site is told to stop");
      const control = new AbortController();
      const waiting = exec.streamLogs(LOGS, { signal: control.signal })[Symbol.asyncIterator]().next();
      await until(() => asked.length === 2, "the site is asked again");
      control.abort();
      await assert.rejects(waiting);
      await until(() => asked[1]!.stopped, "the site is told to stop");
    },
  },
  {
    name: "a reader who stands still holds the source up, with little in between, and gets everything later",
    async run(store) {
      const { world, asked, exec } = await running(store);
      await using _world = world;
      const reader = exec.streamLogs(LOGS)[Symbol.asyncIterator]();
      const first = reader.next();
      await until(() => asked.length === 1, "the site is asked");
      const [one] = asked;
      one!.send({});
      await first;
      // An eager source; what it has no room for after so long it would not get room for later.
      const patience = 100;
      for (let waited = 0; waited < patience;) {
        assert.ok(one!.sent < 16 * 1024 * 1024, "somebody keeps what nobody reads");
        if (one!.granted < one!.sent + PIECE_BYTES) {
          waited++;
          await new Promise((resolve) => setTimeout(resolve, 5));
        } else {
          waited = 0;
          one!.send({ data: new Uint8Array(PIECE_BYTES) });
        }
      }
      const held = one!.sent;
      assert.ok(held >= WINDOW_BYTES);
      let received = 0;
      while (received < held) received += (await reader.next()).value!.data.length;
      await until(() => one!.granted >= held + WINDOW_BYTES / 2, "it may go on");
      one!.send({ ended: true });
      while (!(await reader.next()).done);
    },
  },
  {
    name: "of several controllers the one that the site is connected to speaks for it",
    async run(store) {
      const { world, site, asked, exec } = await running(store);
      await using _world = world;
      await using other = await World.start({ store, parts: { id: "two" } });
      await until(
        () => other.controller.cache.get(CloudletInfoKind, site.key)?.controller === "one",
        "the other knows where the site is",
      );
      assert.deepEqual(await all(other.api.exec.streamLogs(LOGS)), []);
      const output = all(exec.streamLogs(LOGS));
      await until(() => asked.length === 1, "the site is asked");
      asked[0]!.send({ ended: true });
      assert.equal((await output).length, 1);
      await site.stop();
      const refusal = /no matching CRM/;
      await refused(all(exec.streamLogs(LOGS)), Status.UNAVAILABLE, refusal);
      const isOffline = () =>
        other.controller.cache.get(CloudletInfoKind, site.key)!.state ===
          dme.CloudletState.CLOUDLET_STATE_OFFLINE;
      await until(isOffline, "the site counts as offline");
      await refused(all(other.api.exec.streamLogs(LOGS)), Status.UNAVAILABLE, refusal);
    },
  },
  {
    name: "output that is lost, too much, refused or cut off ends with the reason",
    async run(store) {
      const { world, site, asked, exec } = await running(store);
      await using _world = world;
      const ends = async (code: Status, reason: RegExp, act: (one: Asked) => void | Promise<void>) => {
        const before = asked.length;
        const call = all(exec.streamLogs(LOGS));
        const refusal = refused(call, code, reason);
        await until(() => asked.length > before, "the site is asked");
        await act(asked.at(-1)!);
        await refusal;
      };
      await ends(Status.DATA_LOSS, /was lost/, (one) => {
        one.send({ data: new Uint8Array(10) });
        one.sent += 5;
        one.send({ data: new Uint8Array(10) });
      });
      assert.ok(asked[0]!.sent > 0);
      await until(() => asked[0]!.stopped, "a source whose output was lost is stopped");
      await ends(Status.INTERNAL, /more output than it was asked for/, (one) => {
        one.send({ data: new Uint8Array(WINDOW_BYTES * 2) });
      });
      await ends(Status.UNKNOWN, /^the disk is on fire$/, (one) => one.send({}, "the disk is on fire"));
      await ends(Status.UNAVAILABLE, /connection to the site is lost/, () => site.stop());
      await refused(all(exec.streamLogs(LOGS)), Status.UNAVAILABLE, /no matching CRM/);
    },
  },
];
