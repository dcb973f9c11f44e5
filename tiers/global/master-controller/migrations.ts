import type { Migration } from "../../../shared/database/mod.ts";

/** Channel on which changes of tables that are cached are announced; the payload is the table's name. */
export const CHANGES_CHANNEL = "events";

/** The schema of accounts. Names are unique without regard to case, which `principal_names` and the indexes keep. */
export const MIGRATIONS: readonly Migration[] = [
  {
    name: "0001_accounts",
    statements: [
      `create table principal_names (
        name_lower text primary key,
        kind text not null check (kind in ('user', 'organization')))`,
      `create table users (
        name text primary key,
        email text not null,
        email_verified boolean not null default false,
        passhash text not null,
        salt text not null,
        iter integer not null,
        family_name text not null default '',
        given_name text not null default '',
        picture text not null default '',
        nickname text not null default '',
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        locked boolean not null default false,
        pass_crack_time_sec double precision not null default 0,
        metadata text not null default '',
        last_login timestamptz,
        last_failed_login timestamptz,
        failed_logins integer not null default 0,
        token_epoch integer not null default 0)`,
      `create unique index users_name_lower on users (lower(name))`,
      `create unique index users_email_lower on users (lower(email))`,
      `create table organizations (
        name text primary key,
        type text not null check (type in ('developer', 'operator')),
        address text not null default '',
        phone text not null default '',
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        public_images boolean not null default false,
        delete_in_progress boolean not null default false,
        parent text not null default '',
        edgebox_only boolean not null default false)`,
      `create unique index organizations_name_lower on organizations (lower(name))`,
      // One role for a user in an organization; the empty organization is the platform, so no foreign key there.
      `create table role_assignments (
        org text not null,
        username text not null references users (name) on delete cascade,
        role text not null,
        primary key (org, username))`,
      `create index role_assignments_username on role_assignments (username)`,
      `create table controllers (
        region text primary key,
        address text not null unique,
        notify_addr text not null default '',
        influx_db text not null default '',
        thanos_metrics text not null default '',
        dns_region text not null unique,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now())`,
      `create table configs (id integer primary key check (id = 1), settings jsonb not null)`,
      `create function announce_change() returns trigger language plpgsql as $$
        begin perform pg_notify('${CHANGES_CHANNEL}', tg_table_name); return null; end $$`,
      `create trigger announce_change after insert or update or delete on controllers
        for each statement execute function announce_change()`,
      `create trigger announce_change after insert or update or delete on configs
        for each statement execute function announce_change()`,
    ],
  },
];
