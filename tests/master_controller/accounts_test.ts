import assert from "node:assert/strict";
import {
  ADMIN_PASSWORD,
  makeWorld,
  USER_PASSWORD,
  type World,
} from "../../tiers/global/master-controller/testing/world.ts";
import { refused } from "./expect.ts";
import { startTestPostgres } from "./postgres.ts";

/** Checks share one database server; each starts with an empty database. */
const CHECKS: readonly (readonly [string, (world: World) => Promise<void>])[] = [
  ["health, unknown paths and the transport's rules", checkTransport],
  ["making an account", checkUserCreate],
  ["logging in", checkLogin],
  ["failed logins are delayed, counted and lead to a lockout", checkLockout],
  ["guesses in parallel do not pass the lockout", checkParallelGuesses],
  ["tokens: missing, expired, wrong, by cookie, refreshed", checkTokens],
  ["a locked account can neither log in nor use its tokens", checkLocked],
  ["changing the password ends other sessions", checkNewPassword],
  ["changing one's own account", checkUpdateOwn],
  ["changing any account is for administrators", checkUpdateRestricted],
  ["deleting accounts", checkDelete],
  ["seeing accounts", checkShow],
  ["settings", checkConfig],
  ["no secret reaches log lines or answers", checkSecrets],
];

Deno.test("master controller: accounts", async (test) => {
  await using postgres = await startTestPostgres();
  for (const [name, check] of CHECKS) {
    await test.step(name, async () => {
      await postgres.reset();
      const world = await makeWorld(postgres.url);
      try {
        await check(world);
      } finally {
        await world.close();
      }
    });
  }
});

async function checkTransport({ handler, call }: World): Promise<void> {
  const root = await handler(new Request("https://localhost/"), "192.0.2.1");
  assert.deepEqual([root.status, await root.text()], [200, "OK"]);
  await refused(call("nothing/here", {}), 404, "Not Found");
  await refused(call("auth/user/verifyemail", {}), 404, "Not Found");
  await refused(call("login", "{}", undefined, { "content-type": "text/plain" }), 415, "Unsupported Media Type");
  await refused(call("login"), 415, "Unsupported Media Type");
  await refused(call("login", ""), 400, "Request body can't be empty");
  await refused(call("login", '{"username":'), 400, /^Invalid JSON data: Syntax error.*12/);
  await refused(
    call("login", { username: 5 }),
    400,
    /^Invalid JSON data: Unmarshal error.*expected string, got number/,
  );
  const get = await handler(new Request("https://localhost/api/v1/login"), "192.0.2.1");
  assert.equal(get.status, 404);
  await get.body?.cancel();
}

async function checkUserCreate({ call, core, login }: World): Promise<void> {
  const make = (more: object) =>
    call("usercreate", { name: "ann", email: "ann@example.com", passhash: USER_PASSWORD, ...more });
  await refused(make({ name: "" }), 400, "Name not specified");
  await refused(make({ name: "a::b" }), 400, "cannot contain");
  await refused(make({ email: "nonsense" }), 400, "Invalid email address");
  await refused(make({ passhash: "short" }), 400, "at least 8 characters");
  await refused(make({ passhash: "password123" }), 400, /^Password too weak.*crack time/);
  await refused(make({ EnableTOTP: true }), 400, "EnableTOTP");
  await refused(make({ Locked: "no" }), 400, "expected boolean");
  assert.deepEqual(await core.database.query`select count(*) as n from users`, [{ n: 1 }]);
  const made = await make({ NickName: "Annie", verify: { email: "ann@example.com" } });
  assert.deepEqual([made.status, made.json], [200, { Message: "user created", TOTPSharedKey: "", TOTPQRImage: "" }]);
  await refused(make({ name: "ANN", email: "other@example.com" }), 400, "(case-insensitive) already exists");
  await refused(make({ name: "bob", email: "Ann@Example.com" }), 400, "already in use");
  const token = await login("ANN");
  const { json } = await call("auth/user/current", undefined, token);
  assert.deepEqual([json.Name, json.Nickname, json.EmailVerified, json.Locked], ["ann", "Annie", false, false]);
  assert.deepEqual([json.Passhash, json.Salt, json.Iter, json.TOTPSharedKey], ["", "", 0, ""]);
  assert.ok((await call("auth/org/create", { Name: "acme", Type: "developer" }, token)).status === 200);
  await refused(make({ name: "Acme", email: "x@example.com" }), 400, "user name cannot be same as org name".slice(1));
}

async function checkLogin({ call, user }: World): Promise<void> {
  await user("ann");
  await refused(call("login", {}), 400, "Username not specified");
  await refused(call("login", { username: "ann" }), 400, "Please specify password");
  const byMail = await call("login", { username: "ann@example.com", password: USER_PASSWORD });
  assert.equal(byMail.status, 200);
  assert.deepEqual(Object.keys(byMail.json), ["token"]);
  const admin = await call("login", { username: "mexadmin", password: ADMIN_PASSWORD });
  assert.equal(admin.json.admin, true);
  const cookie = admin.headers.get("set-cookie") ?? "";
  for (const part of [`token=${admin.json.token}`, "Secure", "HttpOnly", "SameSite=Strict", "Expires="]) {
    assert.ok(cookie.includes(part), cookie);
  }
}

async function checkLockout({ call, clock, user }: World): Promise<void> {
  await user("ann");
  const attempt = (password: string) => call("login", { username: "ann", password });
  await refused(attempt("wrong"), 400, "Invalid username or password");
  assert.deepEqual(clock.slept, [3000]);
  await refused(attempt(USER_PASSWORD), 400, /temporarily disabled due to 1 failed.*3s/);
  clock.advance(3000);
  await refused(attempt("wrong"), 400, "Invalid username or password");
  clock.advance(3000);
  await refused(attempt("wrong"), 400, "Invalid username or password");
  clock.advance(59_000);
  await refused(attempt(USER_PASSWORD), 400, /due to 3 failed.*1s/);
  clock.advance(1_000);
  assert.equal((await attempt(USER_PASSWORD)).status, 200);
  assert.equal((await attempt(USER_PASSWORD)).status, 200, "success resets the counter");
  await refused(call("login", { username: "nobody", password: "wrong" }), 400, "Invalid username or password");
  assert.deepEqual(clock.slept, [3000, 3000, 3000, 3000]);
}

async function checkParallelGuesses({ call, core, user }: World): Promise<void> {
  await user("ann");
  const answers = await Promise.all(
    Array.from(
      { length: 10 },
      (_, guess) => call("login", { username: guess % 2 ? "ann" : "ann@example.com", password: `guess-${guess}` }),
    ),
  );
  const tried = answers.filter((answer) => /Invalid username or password/.test(answer.text));
  assert.equal(tried.length, 1, "only one guess is compared with the password");
  assert.deepEqual(await core.database.query`select failed_logins as n from users where name = 'ann'`, [{ n: 1 }]);
}

async function checkTokens({ call, clock, user, login }: World): Promise<void> {
  const token = await user("ann");
  await refused(call("auth/user/current"), 400, /^No bearer token found$/);
  await refused(call("auth/user/current", undefined, "rubbish"), 401, /^Invalid or expired jwt$/);
  await refused(call("auth/user/current", undefined, `${token}x`), 401, "Invalid or expired jwt");
  const byCookie = await call("auth/user/current", undefined, undefined, { cookie: `other=1; token=${token}` });
  assert.equal(byCookie.json.Name, "ann");
  clock.advance(23 * 3600_000);
  const renewed = (await call("auth/refresh", undefined, token)).json.token;
  clock.advance(2 * 3600_000);
  await refused(call("auth/user/current", undefined, token), 400, /^Token is expired by 1h0m0s$/);
  assert.equal((await call("auth/user/current", undefined, renewed)).status, 200);
  let last = await login("ann");
  for (let day = 0; day < 31; day++) {
    clock.advance(23.5 * 3600_000);
    const answer = await call("auth/refresh", undefined, last);
    if (answer.status !== 200) return await refused(Promise.resolve(answer), 401, /^Expired jwt$/);
    last = answer.json.token;
  }
  assert.fail("A session can be refreshed for ever");
}

async function checkLocked({ call, login, user }: World): Promise<void> {
  const admin = await login("mexadmin", ADMIN_PASSWORD);
  const token = await user("ann");
  const locked = await call("auth/restricted/user/update", { email: "ann@example.com", Locked: true }, admin);
  assert.deepEqual([locked.status, locked.text], [200, ""]);
  await refused(call("login", { username: "ann", password: USER_PASSWORD }), 400, "Account is locked");
  await refused(call("auth/user/current", undefined, token), 401, "Invalid or expired jwt");
  await call("auth/restricted/user/update", { name: "ann", Locked: false }, admin);
  await login("ann");
  await call("auth/config/update", { LockNewAccounts: true }, admin);
  await call("usercreate", { name: "bob", email: "bob@example.com", passhash: USER_PASSWORD });
  await refused(call("login", { username: "bob", password: USER_PASSWORD }), 400, "Account is locked");
}

async function checkNewPassword({ call, clock, login, user }: World): Promise<void> {
  const token = await user("ann");
  const other = await login("ann");
  const change = (body: object) => call("auth/user/newpass", body, token);
  await refused(change({ password: "x" }), 400, "Please specify current password");
  await refused(change({ currentpassword: "x" }), 400, "Please specify new password");
  await refused(
    change({ currentpassword: "wrong", password: "2greenfoxslowhandlebrush2" }),
    400,
    "Invalid current password",
  );
  assert.deepEqual(clock.slept, [3000]);
  await refused(change({ currentpassword: USER_PASSWORD, password: "password" }), 400, "Password too weak");
  const changed = await change({ currentpassword: USER_PASSWORD, password: "2greenfoxslowhandlebrush2" });
  assert.equal(changed.json.message, "password updated");
  await refused(call("auth/user/current", undefined, other), 401, "Invalid or expired jwt");
  assert.equal((await call("auth/user/current", undefined, changed.json.token)).status, 200);
  await refused(call("login", { username: "ann", password: USER_PASSWORD }), 400, "Invalid username or password");
  clock.advance(3000);
  await login("ann", "2greenfoxslowhandlebrush2");
}

async function checkUpdateOwn({ call, user }: World): Promise<void> {
  const token = await user("ann");
  await user("bob");
  const update = (body: object) => call("auth/user/update", body, token);
  const updated = await update({ FamilyName: "Lee", metadata: '{"theme":"dark"}', Name: "ann" });
  assert.equal(updated.json.Message, "User updated");
  for (
    const [field, value] of Object.entries({
      Name: "x",
      Locked: true,
      EmailVerified: true,
      FailedLogins: 7,
      Iter: 1,
      Passhash: "x",
    })
  ) {
    await refused(update({ [field]: value }), 400, `Cannot change ${field}`);
  }
  await refused(update({ Email: "nonsense" }), 400, "Invalid email address");
  await refused(update({ Email: "bob@example.com" }), 400, "Email bob@example.com already in use");
  await update({ Email: "new@example.com" });
  const { json } = await call("auth/user/current", undefined, token);
  assert.deepEqual([json.FamilyName, json.Metadata, json.Email], ["Lee", '{"theme":"dark"}', "new@example.com"]);
  await update({ FamilyName: "" });
  assert.equal((await call("auth/user/current", undefined, token)).json.FamilyName, "");
}

async function checkUpdateRestricted({ call, login, user }: World): Promise<void> {
  const token = await user("ann");
  const admin = await login("mexadmin", ADMIN_PASSWORD);
  const update = (body: object, by = admin) => call("auth/restricted/user/update", body, by);
  await refused(update({ name: "ann", Locked: true }, token), 403, /^Forbidden$/);
  await refused(update({ Locked: true }), 400, "Either Name or Email");
  await refused(update({ name: "nobody", Locked: true }), 400, "User not found");
  await refused(update({ name: "ann", Passhash: "x" }), 400, "Cannot change Passhash");
  assert.equal((await update({ name: "ann", EmailVerified: true, FailedLogins: 5 })).status, 200);
  const [ann] = (await call("auth/user/show", { Name: "ann" }, admin)).json;
  assert.deepEqual([ann.EmailVerified, ann.FailedLogins], [true, 5]);
}

async function checkDelete({ call, login, user }: World): Promise<void> {
  const [ann, bob] = [await user("ann"), await user("bob")];
  const admin = await login("mexadmin", ADMIN_PASSWORD);
  const remove = (name: string, by: string) => call("auth/user/delete", { name }, by);
  await refused(remove("bob", ann), 403, "Forbidden");
  await refused(remove("nobody", ann), 403, "Forbidden");
  await refused(remove("nobody", admin), 400, "User not found");
  await refused(remove("MexAdmin", admin), 400, "Cannot delete superuser");
  await call("auth/org/create", { Name: "acme", Type: "developer" }, ann);
  await refused(remove("ann", ann), 400, "last remaining manager");
  await call("auth/role/adduser", { org: "acme", username: "bob", role: "DeveloperManager" }, ann);
  assert.equal((await remove("ann", ann)).json.message, "user deleted");
  await refused(call("auth/user/current", undefined, ann), 401, "Invalid or expired jwt");
  await refused(remove("bob", bob), 400, "last remaining manager");
  await user("ann");
}

async function checkShow({ call, login, user }: World): Promise<void> {
  const [ann, bob] = [await user("ann"), await user("bob")];
  await user("cyd");
  const admin = await login("mexadmin", ADMIN_PASSWORD);
  await call("auth/org/create", { Name: "acme", Type: "developer" }, ann);
  await call("auth/role/adduser", { org: "acme", username: "bob", role: "DeveloperViewer" }, ann);
  const names = async (token: string, body?: unknown) => {
    const answer = await call("auth/user/show", body, token);
    return answer.json.map((row: { Name: string }) => row.Name);
  };
  assert.deepEqual(await names(admin), ["ann", "bob", "cyd", "mexadmin"]);
  assert.deepEqual(await names(admin, { org: "acme", role: "DeveloperManager" }), ["ann"]);
  assert.deepEqual(await names(admin, { Locked: true }), []);
  assert.deepEqual(await names(bob), ["ann", "bob"]);
  await refused(call("auth/user/show", { org: "other" }, bob), 403, "Forbidden");
  await refused(call("auth/user/show", { Shoe: 1 }, bob), 400, "not found in database object");
  const [annSeen, bobSeen] = (await call("auth/user/show", { org: "acme" }, bob)).json;
  assert.deepEqual([annSeen.Email, annSeen.PassCrackTimeSec, annSeen.CreatedAt], ["", 0, "0001-01-01T00:00:00Z"]);
  assert.equal(bobSeen.Email, "bob@example.com");
  // Filters on secret columns must not become an oracle.
  assert.equal((await names(admin, { Passhash: "x" })).length, 4);
}

async function checkConfig({ call, login, user }: World): Promise<void> {
  const ann = await user("ann");
  const admin = await login("mexadmin", ADMIN_PASSWORD);
  for (const path of ["show", "update", "reset", "version"]) {
    await refused(call(`auth/config/${path}`, {}, ann), 403, "Forbidden");
  }
  assert.equal((await call("publicconfig")).json.PasswordMinCrackTimeSec, 2592000);
  await call("auth/config/update", { PasswordMinCrackTimeSec: 1, AdminPasswordMinCrackTimeSec: 2 }, admin);
  const [seen] = (await call("auth/user/show", { Name: "ann" }, admin)).json;
  assert.equal(seen.PassCrackTimeSec, 0, "strength is unknown again");
  await login("ann");
  assert.ok((await call("auth/user/current", undefined, ann)).json.PassCrackTimeSec > 0);
  await refused(call("auth/config/update", { UserLoginTokenValidDuration: "1s" }, admin), 400, "at least 3m");
  await call("auth/config/reset", undefined, admin);
  assert.equal((await call("auth/config/show", undefined, admin)).json.PasswordMinCrackTimeSec, 2592000);
  assert.deepEqual(Object.keys((await call("auth/config/version", undefined, admin)).json).sort(), [
    "buildauthor",
    "buildhead",
    "buildmaster",
    "hostname",
  ]);
}

async function checkSecrets({ call, records, user }: World): Promise<void> {
  const token = await user("ann");
  await call("auth/user/newpass", { currentpassword: USER_PASSWORD, password: "2greenfoxslowhandlebrush2" }, token);
  await call("login", { username: "ann", password: "mistyped-Password-1" });
  await call("usercreate", { name: "ann", email: "ann@example.com", passhash: "3bluefoxloudhandlebrush3" });
  const log = JSON.stringify(records);
  for (const secret of [USER_PASSWORD, ADMIN_PASSWORD, "2greenfoxslow", "mistyped-Password", "3bluefox", token]) {
    assert.ok(!log.includes(secret), `${secret.slice(0, 6)}… is in the log`);
  }
  const audits = records.filter((record) => record.message === "audit");
  assert.deepEqual(audits.map((record) => [record.path, record.username, record.status]), [
    ["/api/v1/usercreate", "ann", 200],
    ["/api/v1/login", "ann", 200],
    ["/api/v1/auth/user/newpass", "ann", 200],
    ["/api/v1/login", "ann", 400],
    ["/api/v1/usercreate", "ann", 400],
  ]);
}
