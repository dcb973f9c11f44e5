import type { Argument, ArgumentType } from "./arguments.ts";
import type { Command, Prompt } from "./commands.ts";

/** An optional text argument unless the options say otherwise; its key in the request is its name unless `key` is given. */
function arg(name: string, doc: string, options: Partial<Argument> & { key?: string } = {}): Argument {
  return {
    name,
    aliases: options.aliases ?? [],
    path: options.path ?? [options.key ?? name],
    type: options.type ?? { kind: "string" },
    doc,
    required: options.required ?? false,
    secret: options.secret ?? false,
  };
}

const BOOL: ArgumentType = { kind: "bool" };
const INTEGER: ArgumentType = { kind: "integer" };
const NUMBER: ArgumentType = { kind: "number" };
const DURATION: ArgumentType = { kind: "duration" };

function required(argument: Argument): Argument {
  return { ...argument, required: true };
}

/** A command of the master controller itself; its request is the object that the arguments make. */
function command(
  section: string,
  name: string,
  path: string,
  doc: string,
  args: readonly Argument[] = [],
  more: Partial<Command> = {},
): Command {
  const [group, verb] = name.includes(" ") ? name.split(" ") as [string, string] : ["", name];
  return { group, verb, doc, section, args, regional: false, lists: false, path, body: (json) => json, ...more };
}

/** A command that shows a list. */
function listing(section: string, name: string, path: string, doc: string, args: readonly Argument[] = []): Command {
  return command(section, name, path, doc, args, { lists: true });
}

const PASSWORD = arg("password", "Password; asked for when not given.", { secret: true });

function passwordPrompt(argument: string, text: string, confirm: boolean): Prompt {
  return { argument, text, confirm };
}

const NAME = arg("name", "Name of the user.", { key: "Name" });
const EMAIL = arg("email", "Mail address.", { key: "Email" });
const PERSON = [
  arg("familyname", "Family name.", { key: "FamilyName" }),
  arg("givenname", "Given name.", { key: "GivenName" }),
  arg("nickname", "Nickname.", { key: "Nickname" }),
];

function userCommands(): Command[] {
  const section = "Accounts";
  return [
    command(section, "login", "login", "Log in; the token is kept in ~/.mctoken.", [
      required(arg("name", "Name or mail address of the user.", { key: "username" })),
      PASSWORD,
      arg("totp", "One-time code, for users that have it enabled.", { secret: true }),
    ], { savesToken: true, prompts: [passwordPrompt("password", "Password: ", false)] }),
    command(section, "user create", "usercreate", "Create a user account.", [
      required(NAME),
      required(EMAIL),
      { ...PASSWORD, path: ["Passhash"] },
      ...PERSON,
    ], {
      body: (json) => ({ ...json, verify: { email: json["Email"] ?? "" } }),
      prompts: [passwordPrompt("password", "Password of the new user: ", true)],
    }),
    listing(section, "user show", "auth/user/show", "Show users.", [
      NAME,
      EMAIL,
      ...PERSON,
      arg("org", "Only members of this organization."),
      arg("role", "Only users with this role."),
      arg("locked", "Only locked, or only unlocked, accounts.", { key: "Locked", type: BOOL }),
    ]),
    command(section, "user current", "auth/user/current", "Show the account that is logged in."),
    command(section, "user update", "auth/user/update", "Change the account that is logged in.", [EMAIL, ...PERSON], {
      body: (json) => json["Email"] === undefined ? json : { ...json, verify: { email: json["Email"] } },
    }),
    command(section, "user newpass", "auth/user/newpass", "Change the password of the account that is logged in.", [
      arg("currentpassword", "Current password; asked for when not given.", { secret: true }),
      { ...PASSWORD, doc: "New password; asked for when not given." },
    ], {
      prompts: [
        passwordPrompt("currentpassword", "Current password: ", false),
        passwordPrompt("password", "New password: ", true),
      ],
    }),
    command(section, "user delete", "auth/user/delete", "Delete a user account.", [
      required({ ...NAME, path: ["name"] }),
    ]),
    command("Administrators", "restrictedupdateuser", "auth/restricted/user/update", "Change any user account.", [
      required(NAME),
      arg("locked", "Whether the account is locked.", { key: "Locked", type: BOOL }),
      arg("emailverified", "Whether the mail address counts as verified.", { key: "EmailVerified", type: BOOL }),
      arg("failedlogins", "Number of failed logins.", { key: "FailedLogins", type: INTEGER }),
      ...PERSON,
    ]),
  ];
}

function roleCommands(): Command[] {
  const section = "Accounts";
  const org = arg("org", "Organization; empty for the roles of administrators.", { aliases: ["orgname"] });
  const user = arg("username", "Name of the user.", { aliases: ["name"] });
  const role = arg("role", "Role, e.g. DeveloperManager.");
  return [
    listing(section, "role names", "auth/role/show", "List the roles that exist."),
    command(section, "role add", "auth/role/adduser", "Give a user a role in an organization.", [
      org,
      required(user),
      required(role),
    ]),
    command(section, "role remove", "auth/role/removeuser", "Take a role from a user.", [
      org,
      required(user),
      required(role),
    ]),
    listing(section, "role show", "auth/role/showuser", "Show who has which role in your organizations.", [
      org,
      user,
      role,
    ]),
    listing(section, "role assignment", "auth/role/assignment/show", "Show your own roles.", [org, user, role]),
    listing(section, "role perms", "auth/role/perms/show", "Show what roles permit.", [
      role,
      arg("resource", "Only permissions on this resource, e.g. apps."),
      arg("action", "Only permissions to do this: view or manage."),
    ]),
  ];
}

function organizationCommands(): Command[] {
  const section = "Accounts";
  const name = arg("name", "Name of the organization.", { key: "Name" });
  const type = arg("type", "What the organization does.", {
    key: "Type",
    type: { kind: "enum", values: ["developer", "operator"] },
  });
  const facts = [
    arg("address", "Postal address.", { key: "Address" }),
    arg("phone", "Telephone number.", { key: "Phone" }),
    arg("publicimages", "Whether everybody may pull its images.", { key: "PublicImages", type: BOOL }),
  ];
  return [
    command(section, "org create", "auth/org/create", "Create an organization; you become its manager.", [
      required(name),
      required(type),
      ...facts,
    ]),
    listing(section, "org show", "auth/org/show", "Show the organizations that you have a role in.", [
      name,
      type,
      ...facts,
    ]),
    command(section, "org update", "auth/org/update", "Change an organization.", [required(name), ...facts]),
    command(section, "org delete", "auth/org/delete", "Delete an organization that owns nothing.", [required(name)]),
    command(
      "Administrators",
      "restrictedupdateorg",
      "auth/restricted/org/update",
      "Change what only administrators may.",
      [
        required(name),
        arg("parent", "Billing parent.", { key: "Parent" }),
        arg("edgeboxonly", "Whether only edgebox cloudlets are allowed.", { key: "EdgeboxOnly", type: BOOL }),
      ],
    ),
  ];
}

function controllerCommands(): Command[] {
  const section = "Administrators";
  const region = arg("region", "Name of the region.", { key: "Region" });
  const facts = [
    arg("address", "Address of the region's controller, host:port.", { key: "Address" }),
    arg("notifyaddr", "Address of the controller's notify port, host:port.", { key: "NotifyAddr" }),
    arg("dnsregion", "Name of the region in DNS; default: from its name.", { key: "DnsRegion" }),
  ];
  return [
    command(section, "controller create", "auth/controller/create", "Register a region.", [
      required(region),
      required(facts[0]!),
      ...facts.slice(1),
    ]),
    command(section, "controller update", "auth/controller/update", "Change a region.", [required(region), ...facts]),
    command(section, "controller delete", "auth/controller/delete", "Deregister a region.", [required(region)]),
    listing(section, "controller show", "auth/controller/show", "Show the regions.", [region, ...facts]),
  ];
}

function configCommands(): Command[] {
  const section = "Administrators";
  const setting = (key: string, type: ArgumentType | undefined, doc: string) =>
    arg(key.toLowerCase(), doc, { key, type });
  const settings = [
    setting("LockNewAccounts", BOOL, "New accounts start locked."),
    setting("NotifyEmailAddress", undefined, "Who hears of new locked accounts."),
    setting("SkipVerifyEmail", BOOL, "Mail addresses need not be verified."),
    setting("PasswordMinCrackTimeSec", NUMBER, "Strength of passwords, seconds to crack."),
    setting("AdminPasswordMinCrackTimeSec", NUMBER, "Strength of administrators' passwords, seconds to crack."),
    setting("FailedLoginLockoutThreshold1", INTEGER, "Failed logins before the first lockout."),
    setting("FailedLoginLockoutTimeSec1", INTEGER, "Length of the first lockout, seconds."),
    setting("FailedLoginLockoutThreshold2", INTEGER, "Failed logins before the second lockout."),
    setting("FailedLoginLockoutTimeSec2", INTEGER, "Length of the second lockout, seconds."),
    setting("UserLoginTokenValidDuration", DURATION, "Life of a login, e.g. 24h."),
    setting("WebsocketTokenValidDuration", DURATION, "Life of a short token, e.g. 2m."),
  ];
  return [
    command(section, "config show", "auth/config/show", "Show the settings of the master controller."),
    command(section, "config update", "auth/config/update", "Change settings of the master controller.", settings),
    command(section, "config reset", "auth/config/reset", "Set all settings to their defaults."),
    command(section, "config public", "publicconfig", "Show the settings that everybody may know."),
    command(section, "config version", "auth/config/version", "Show the version of the master controller."),
  ];
}

/** The commands of accounts, organizations, roles, regions and settings (mc spec 1.3, 1.4). */
export function accountCommands(): Command[] {
  return [
    ...userCommands(),
    ...organizationCommands(),
    ...roleCommands(),
    ...controllerCommands(),
    ...configCommands(),
  ];
}
