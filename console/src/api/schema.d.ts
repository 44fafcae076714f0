// Made by `npm run generate` from schemas/openapi.json.

export interface paths {
    "/api/v1/agent/blobs/{sha256}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a file of a release. `Range: bytes=N-` resumes.
         * @description For hosts. Needs the access token of the host.
         */
        get: operations["releases_blob"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agent/check-in": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Check in: a long poll that brings jobs.
         * @description For hosts. Needs the access token of the host.
         */
        post: operations["check_ins_check_in"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agent/enroll": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Enroll a host.
         * @description Open to everybody: no credential is needed.
         */
        post: operations["enrollment_enroll"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agent/jobs/{id}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Report what happened to a job.
         * @description For hosts. Needs the access token of the host.
         */
        post: operations["commands_tell"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agent/releases/{version}/manifest": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the signed manifest of a release.
         * @description For hosts. Needs the access token of the host.
         */
        get: operations["releases_manifest"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agent/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Start the session of an agent process.
         * @description For hosts. Needs the access token of the host.
         */
        post: operations["check_ins_start"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agent/session/end": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * End the session of an agent process that stops.
         * @description For hosts. Needs the access token of the host.
         */
        post: operations["check_ins_end"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/api-keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List API keys.
         * @description Needs the permission `manage_access`: role admin or above.
         */
        get: operations["api_keys_list"];
        put?: never;
        /**
         * Create an API key.
         * @description Needs the permission `manage_access`: role admin or above.
         */
        post: operations["api_keys_create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/api-keys/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Revoke an API key.
         * @description Needs the permission `manage_access`: role admin or above.
         */
        delete: operations["api_keys_delete"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List entries of the audit trail, newest first. With `Accept: application/x-ndjson` a line each.
         * @description Needs the permission `look`: role viewer or above.
         */
        get: operations["audit_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/enrollment-tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List enrollment tokens.
         * @description Needs the permission `manage_hosts`: role admin or above.
         */
        get: operations["enrollment_list"];
        put?: never;
        /**
         * Create an enrollment token.
         * @description Needs the permission `manage_hosts`: role admin or above.
         */
        post: operations["enrollment_create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/enrollment-tokens/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Revoke an enrollment token.
         * @description Needs the permission `manage_hosts`: role admin or above.
         */
        delete: operations["enrollment_revoke"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/fleet-updates": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List fleet updates, newest first.
         * @description Needs the permission `look`: role viewer or above.
         */
        get: operations["fleet_updates_list"];
        put?: never;
        /**
         * Start a fleet update, or with `dry_run` get its plan.
         * @description Needs the permission `manage_fleet_updates`: role admin or above.
         */
        post: operations["fleet_updates_create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/fleet-updates/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a fleet update, or with `wait` its next change.
         * @description Needs the permission `look`: role viewer or above.
         */
        get: operations["fleet_updates_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/fleet-updates/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel a fleet update.
         * @description Needs the permission `manage_fleet_updates`: role admin or above.
         */
        post: operations["fleet_updates_cancel"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/fleet-updates/{id}/hosts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the hosts of a fleet update, each with what it is waiting on, or with `wait` the next change of the page.
         * @description Needs the permission `look`: role viewer or above.
         */
        get: operations["fleet_updates_hosts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/fleet-updates/{id}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Pause a fleet update: it is offered to no further host.
         * @description Needs the permission `manage_fleet_updates`: role admin or above.
         */
        post: operations["fleet_updates_pause"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/fleet-updates/{id}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Resume a fleet update.
         * @description Needs the permission `manage_fleet_updates`: role admin or above.
         */
        post: operations["fleet_updates_resume"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/fleet-updates/{id}/retry-failed": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Retry the failed hosts of a fleet update.
         * @description Needs the permission `manage_fleet_updates`: role admin or above.
         */
        post: operations["fleet_updates_retry_failed"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/fleet-updates/{id}/write-off": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Write off a lost host, so that its slot is free again.
         * @description Needs the permission `manage_fleet_updates`: role admin or above.
         */
        post: operations["fleet_updates_write_off"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Check whether the server can do its work.
         * @description Open to everybody: no credential is needed.
         */
        get: operations["health_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/hosts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List hosts.
         * @description Needs the permission `look`: role viewer or above.
         */
        get: operations["hosts_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/hosts/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a host, or with `wait` its next change.
         * @description Needs the permission `look`: role viewer or above.
         */
        get: operations["hosts_get"];
        put?: never;
        post?: never;
        /**
         * Retire a host for good.
         * @description Needs the permission `manage_hosts`: role admin or above.
         */
        delete: operations["hosts_retire"];
        options?: never;
        head?: never;
        /**
         * Change the name and the labels of a host.
         * @description Needs the permission `describe_hosts`: role operator or above.
         */
        patch: operations["hosts_change"];
        trace?: never;
    };
    "/api/v1/hosts/{id}/readmit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Readmit a quarantined host.
         * @description Needs the permission `manage_hosts`: role admin or above.
         */
        post: operations["hosts_readmit"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/hosts/{id}/update": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Update the agent of one host to a release.
         * @description Needs the permission `manage_fleet_updates`: role admin or above.
         */
        post: operations["hosts_update"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/install.sh": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the script that installs the agent and enrolls the host.
         * @description Open to everybody: no credential is needed.
         */
        get: operations["install_script"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/install/{platform}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the agent of the newest release for a platform, such as `linux-x86_64`.
         * @description For a machine that is about to become a host. Needs an enrollment token.
         */
        get: operations["install_agent"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List jobs, newest first.
         * @description Needs the permission `look`: role viewer or above.
         */
        get: operations["jobs_list"];
        put?: never;
        /**
         * Run the same job on one or more hosts.
         * @description Needs the permission `run_jobs`: role operator or above.
         */
        post: operations["jobs_create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/jobs/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a job, or with `wait` its next change.
         * @description Needs the permission `look`: role viewer or above.
         */
        get: operations["jobs_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/jobs/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel a job.
         * @description Needs the permission `run_jobs`: role operator or above.
         */
        post: operations["jobs_cancel"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/jobs/{id}/give-up": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Give up a job whose host is lost: it is presumed lost, and a late report still corrects it.
         * @description Needs the permission `run_jobs`: role operator or above.
         */
        post: operations["jobs_give_up"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/jobs/{id}/log": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the log of a job as text, from a byte on.
         * @description Needs the permission `look`: role viewer or above.
         */
        get: operations["jobs_log"];
        put?: never;
        post?: never;
        /**
         * Erase the log of a job. No further output of it is kept.
         * @description Needs the permission `erase_logs`: role admin or above.
         */
        delete: operations["jobs_erase_log"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get this document.
         * @description Open to everybody: no credential is needed.
         */
        get: operations["openapi_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/overview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the whole fleet in one answer, or with `wait` its next change.
         * @description Needs the permission `look`: role viewer or above.
         */
        get: operations["overview_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/releases": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List releases, newest first.
         * @description Needs the permission `look`: role viewer or above.
         */
        get: operations["releases_list"];
        put?: never;
        /**
         * Announce a signed release.
         * @description Needs the permission `manage_releases`: role admin or above.
         */
        post: operations["releases_create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/releases/{version}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a release, or with `wait` its next change.
         * @description Needs the permission `look`: role viewer or above.
         */
        get: operations["releases_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/releases/{version}/manifest": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the signed manifest of a release as it was uploaded.
         * @description Needs the permission `look`: role viewer or above.
         */
        get: operations["releases_envelope"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/releases/{version}/targets/{platform}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Upload the file for a platform.
         * @description Needs the permission `manage_releases`: role admin or above.
         */
        put: operations["releases_upload"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/releases/{version}/targets/{platform}/upload": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Get the place to upload the file for a platform to.
         * @description Needs the permission `manage_releases`: role admin or above.
         */
        post: operations["releases_upload_place"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/releases/{version}/yank": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Yank a release: it is offered to no host any more.
         * @description Needs the permission `manage_releases`: role admin or above.
         */
        post: operations["releases_yank"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the account or API key that is signed in.
         * @description Needs the permission `look`: role viewer or above.
         */
        get: operations["session_get"];
        put?: never;
        /**
         * Sign in.
         * @description Open to everybody: no credential is needed.
         */
        post: operations["session_create"];
        /**
         * Sign out.
         * @description Needs the permission `look`: role viewer or above.
         */
        delete: operations["session_delete"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/storage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get how much the server keeps, of what, and since when.
         * @description Needs the permission `look`: role viewer or above.
         */
        get: operations["storage_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tick": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Run the server's regular duties now.
         * @description Needs the permission `run_tick`: role admin or above.
         */
        post: operations["tick_create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/trust-root": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the root of trust that releases are checked against when they are published.
         * @description Needs the permission `look`: role viewer or above.
         */
        get: operations["trust_root_get"];
        /**
         * Tell the server the root of trust, or its successor.
         * @description Needs the permission `manage_releases`: role admin or above.
         */
        put: operations["trust_root_replace"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List accounts.
         * @description Needs the permission `manage_access`: role admin or above.
         */
        get: operations["users_list"];
        put?: never;
        /**
         * Create an account.
         * @description Needs the permission `manage_access`: role admin or above.
         */
        post: operations["users_create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Delete an account.
         * @description Needs the permission `manage_access`: role admin or above.
         */
        delete: operations["users_delete"];
        options?: never;
        head?: never;
        /**
         * Change the role or the password of an account.
         * @description Needs the permission `manage_access`: role admin or above.
         */
        patch: operations["users_change"];
        trace?: never;
    };
    "/api/v1/version": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the version of the server.
         * @description Open to everybody: no credential is needed.
         */
        get: operations["health_version"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/healthz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The same as `/readyz`.
         * @description Open to everybody: no credential is needed.
         */
        get: operations["health_healthz"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/livez": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Check whether the server answers, without a look at anything else.
         * @description Open to everybody: no credential is needed.
         */
        get: operations["health_live"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/oauth/token": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Get an access token for a host by an assertion that its key has signed.
         * @description Open to everybody: no credential is needed.
         */
        post: operations["tokens_create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Check whether the server can serve: its store reads and writes, and it is not about to stop.
         * @description Open to everybody: no credential is needed.
         */
        get: operations["health_ready"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * @description Actions of a caller that belong to no record.
         * @enum {string}
         */
        ActionOfCaller: "create_jobs" | "create_fleet_updates" | "publish_releases" | "create_enrollment_tokens" | "create_users" | "create_api_keys" | "look_at_audit" | "look_at_users" | "look_at_api_keys" | "look_at_enrollment_tokens";
        /**
         * @description Actions on an API key.
         * @enum {string}
         */
        ActionOnApiKey: "revoke";
        /**
         * @description Actions on an enrollment token.
         * @enum {string}
         */
        ActionOnEnrollmentToken: "revoke";
        /**
         * @description Actions on a fleet update.
         * @enum {string}
         */
        ActionOnFleetUpdate: "pause" | "resume" | "cancel" | "retry_failed" | "write_off";
        /**
         * @description Actions on a host.
         * @enum {string}
         */
        ActionOnHost: "run" | "update" | "change" | "readmit" | "reset_breakers" | "remove";
        /**
         * @description Actions on a job.
         * @enum {string}
         */
        ActionOnJob: "cancel" | "erase_log" | "give_up";
        /**
         * @description Actions on a release.
         * @enum {string}
         */
        ActionOnRelease: "yank";
        /**
         * @description Actions on an account.
         * @enum {string}
         */
        ActionOnUser: "change" | "remove";
        /** @description The running agent, as the host reports it: its bytes, its process, and how its last update ended. */
        AgentReport: {
            /** @description The kernel's boot id. Empty when the platform has none. */
            boot_id?: string;
            /** @description Whether this version is committed: it passed its health gate, and a restart starts it again. */
            committed?: boolean;
            /** @description SHA-256 of the running executable, hexadecimal. */
            executable_sha256: string;
            /** @description How the last update of the agent ended on this host. Absent when there was none. */
            last_update?: components["schemas"]["LastUpdate"];
            /** @description Random, drawn at each start of the agent process. */
            process_id: components["schemas"]["ProcessId"];
            /** @description The agent's version, as built in. */
            version: string;
        };
        /** @description A new key: the only answer that contains its text. */
        ApiKeyCreated: {
            /** @description `mst_…`, the secret for `Authorization: Bearer`. The server does not store it. */
            key: components["schemas"]["Secret"];
            /**
             * Format: date-time
             * @description When it was made.
             */
            created_at: string;
            /** @description Who made it: `user:<id>` or `key:<id>`. Empty when it was made before this was written down. */
            created_by?: string;
            /** @description What people called that one then: a user's or an API key's name. */
            created_by_name?: string;
            /**
             * Format: date-time
             * @description When it ends.
             */
            expires_at: string;
            /** @description Its id. */
            id: components["schemas"]["ApiKeyId"];
            /**
             * Format: date-time
             * @description When it was last used, to within five minutes. Absent: never.
             */
            last_used_at?: string;
            /** @description Its purpose, for people. */
            name: string;
            /** @description Its role. */
            role: components["schemas"]["Role"];
            /**
             * @description The role that it has now: its own, or that of its maker's account if that is less. Absent: none, because its maker's
             *     account was deleted.
             */
            role_now?: components["schemas"]["Role"];
            /** @description What the caller may do with it now */
            allowed: components["schemas"]["ActionOnApiKey"][];
            /** @description Why the others cannot be done now, a sentence each: what a request for it would be refused with */
            why_not: {
                revoke?: string;
            };
        };
        ApiKeyId: string;
        /** @description `POST /api/v1/api-keys`. */
        ApiKeyRequest: {
            /** @description Its purpose: 1 to 128 characters. */
            name: string;
            /** @description Its role; not above its creator's. */
            role: components["schemas"]["Role"];
            /**
             * Format: int32
             * @description How long it is valid, in seconds: 60 to 31 622 400 (366 days). Absent: 90 days.
             */
            valid_for_seconds?: number | null;
        };
        /** @description A key as operators see it later. */
        ApiKeyView: {
            /**
             * Format: date-time
             * @description When it was made.
             */
            created_at: string;
            /** @description Who made it: `user:<id>` or `key:<id>`. Empty when it was made before this was written down. */
            created_by?: string;
            /** @description What people called that one then: a user's or an API key's name. */
            created_by_name?: string;
            /**
             * Format: date-time
             * @description When it ends.
             */
            expires_at: string;
            /** @description Its id. */
            id: components["schemas"]["ApiKeyId"];
            /**
             * Format: date-time
             * @description When it was last used, to within five minutes. Absent: never.
             */
            last_used_at?: string;
            /** @description Its purpose, for people. */
            name: string;
            /** @description Its role. */
            role: components["schemas"]["Role"];
            /**
             * @description The role that it has now: its own, or that of its maker's account if that is less. Absent: none, because its maker's
             *     account was deleted.
             */
            role_now?: components["schemas"]["Role"];
            /** @description What the caller may do with it now */
            allowed: components["schemas"]["ActionOnApiKey"][];
            /** @description Why the others cannot be done now, a sentence each: what a request for it would be refused with */
            why_not: {
                revoke?: string;
            };
        };
        ApiKeyViewPage: {
            /** @description The entries, in order; may be empty although more follow, when a filter left none over */
            items: components["schemas"]["ApiKeyView"][];
            /** @description Where the next page starts; absent on the last */
            next_cursor?: string;
        };
        /** @description One entry. */
        AuditEntry: {
            /** @description The action, as noun and event: `job.cancelled`. */
            action: string;
            /**
             * @description The actor: `user:<id>`, `key:<id>`, `host:<id>`, `tick`, `server` for what follows by the server's own rules, or `anonymous`
             *     for somebody who has not signed in.
             */
            actor: string;
            /** @description The actor's display name at that time: a user's or an API key's name. Empty for hosts and the tick. */
            actor_name?: string;
            /**
             * @description Where that request came from: the address of the connection, or what a trusted proxy says. Empty when that is unknown, and
             *     for what the server does by itself.
             */
            address?: string;
            /** @description Whether it is an alert that needs attention. */
            alert?: boolean;
            /**
             * Format: date-time
             * @description When it happened.
             */
            at: string;
            /** @description Why or how, for people. Empty when the action says it all. */
            detail?: string;
            /** @description Its id; sorts by time. */
            id: components["schemas"]["AuditId"];
            /** @description The request that caused it. Empty for the tick. */
            request_id?: string;
            /** @description The id of the record that was changed. */
            subject: string;
        };
        AuditEntryPage: {
            /** @description The entries, in order; may be empty although more follow, when a filter left none over */
            items: components["schemas"]["AuditEntry"][];
            /** @description Where the next page starts; absent on the last */
            next_cursor?: string;
        };
        AuditId: string;
        /**
         * @description The state of a circuit breaker.
         * @enum {string}
         */
        BreakerState: "closed" | "open" | "half_open" | "unknown";
        /** @description `POST /api/v1/agent/check-in`: the long poll. */
        CheckInRequest: {
            /** @description The running agent; sent when it has changed since the session started (mostly by a commit). Absent: unchanged. */
            agent?: components["schemas"]["AgentReport"];
            /**
             * @description The same digest before this request, where it carries some sections and not all of them: what is stored of them is only
             *     complete if the server had all that was told before. Empty: it carries all sections that the agent has, or none.
             */
            digest_before?: string;
            /** @description The host's facts; sent when they have changed or were asked for. Absent: unchanged. */
            facts?: components["schemas"]["Facts"];
            /** @description SHA-256 of the facts as last sent, hexadecimal. Empty: unknown, or the agent sends `reports_digest`. */
            facts_digest?: string;
            /**
             * Format: int64
             * @description The highest job sequence the host's journal has seen; 0 when none. A server that knows less was restored from a
             *     backup.
             */
            highest_sequence?: number;
            /**
             * @description Jobs in the agent's journal whose results are not stored by the server yet: they are not offered again in this
             *     session.
             */
            open?: components["schemas"]["JobId"][];
            /**
             * @description The digest of all reports as last sent, including those of this request: 16 hexadecimal digits. Empty: the agent does
             *     not compare digests.
             */
            reports_digest?: string;
            /**
             * Format: int64
             * @description The session this check-in belongs to.
             */
            session: number;
            /** @description The upstreams of the agent; sent when one has changed. Absent: unchanged. */
            upstreams?: components["schemas"]["Upstream"][];
            /**
             * Format: int32
             * @description How long the agent will wait for an answer, in seconds; 0 asks for one at once. The server may answer earlier.
             */
            wait_seconds?: number;
        };
        /** @description The answer to a check-in. */
        CheckInResponse: {
            /**
             * Format: date-time
             * @description Until when the host is asked to check in often. Absent: it is not.
             */
            attention_until?: string;
            /** @description Jobs to cancel; also ids that the agent never received, so that a late offer cannot run. */
            cancel?: components["schemas"]["JobId"][];
            /** @description Open jobs that this session has not received yet, in sequence order. */
            jobs?: components["schemas"]["Command"][];
            /**
             * Format: int32
             * @description When the next check-in is due, in seconds after this answer; 0: at once. The agent adds ±10 % jitter.
             */
            next_check_in_seconds: number;
            /**
             * Format: int32
             * @description The longest pause between the agent's retries while the server does not answer, in seconds. The server chooses it by
             *     the number of hosts, so that they do not all return at once (thundering herd). 0: the server sets no limit.
             */
            retry_cap_seconds?: number;
            /** @description Whether the next check-in must carry the facts. */
            send_facts?: boolean;
            /**
             * Format: date-time
             * @description The server's clock.
             */
            server_time: string;
            /** @description Sections that the next check-in must carry. Empty: none. */
            wanted?: components["schemas"]["Section"][];
        };
        /** @description A job as the agent gets it. */
        Command: {
            /**
             * Format: int64
             * @description Its generation on that resource: an agent never starts an older generation than one it has already started.
             */
            generation?: number;
            /** @description The host that it is for; an agent ignores jobs of other hosts. */
            host_id: components["schemas"]["HostId"];
            /** @description The job. */
            id: components["schemas"]["JobId"];
            /** @description The kind; an agent rejects a kind that it does not know. */
            kind: string;
            /** @description The rule for a job that was interrupted after its start. */
            recovery: components["schemas"]["Recovery"];
            /**
             * @description The resource that it acts on: one job at a time per resource, and no other job beside one that acts on `host`. Absent: it
             *     needs no resource for itself.
             */
            resource?: string;
            /**
             * Format: int64
             * @description Its place in the host's own order, growing by one per job of the host.
             */
            sequence: number;
            /** @description The spec, with the members of that kind. */
            spec: Record<string, unknown>;
            /**
             * Format: date-time
             * @description Latest start, by the server's clock.
             */
            start_by: string;
            /**
             * Format: int32
             * @description How long it may run, in seconds; enforced by the agent.
             */
            time_limit_seconds: number;
        };
        /** @description Hosts by state. */
        Counts: {
            /**
             * Format: int32
             * @description Not offered because of a cancel.
             */
            cancelled: number;
            /**
             * Format: int32
             * @description Failed.
             */
            failed: number;
            /**
             * Format: int32
             * @description In an unproven update, lost ones included.
             */
            in_flight: number;
            /**
             * Format: int32
             * @description They have not had their turn.
             */
            pending: number;
            /**
             * Format: int32
             * @description Skipped.
             */
            skipped: number;
            /**
             * Format: int32
             * @description Proven.
             */
            succeeded: number;
            /**
             * Format: int32
             * @description All that take part; while it is planned, all that are planned so far.
             */
            total: number;
        };
        /** @description A mounted file system. What is free is not a fact (it changes all the time): `inspect` tells it. */
        Disk: {
            /**
             * @description Where it is mounted.
             * @default
             */
            mount?: string;
            /**
             * Format: int64
             * @description Its size in bytes.
             * @default 0
             */
            size_bytes?: number;
        };
        /** @description `POST /api/v1/agent/enroll`. */
        EnrollRequest: {
            /** @description The token's text. */
            enrollment_token: components["schemas"]["Secret"];
            /** @description The facts of the host. */
            facts: components["schemas"]["Facts"];
            /** @description The host's Ed25519 public key: 32 bytes, base64url without padding. The same key again gets the same host. */
            public_key: string;
        };
        /** @description The answer to a host that joined. */
        EnrollResponse: {
            /** @description The value of `aud` in client assertions. */
            audience: string;
            /** @description The host's id from now on. */
            host_id: components["schemas"]["HostId"];
            /**
             * Format: date-time
             * @description The server's clock.
             */
            server_time: string;
        };
        /** @description A new enrollment token: the only answer that contains its text. */
        EnrollmentTokenCreated: {
            /** @description The command to run on each host: it installs the agent of the newest release, and enrolls the host. */
            install_command: components["schemas"]["Secret"];
            /** @description The text for `muster-agent enroll --token`. The server does not store it. */
            token: components["schemas"]["Secret"];
            /**
             * Format: date-time
             * @description When it was made.
             */
            created_at: string;
            /**
             * Format: date-time
             * @description When it ends.
             */
            expires_at: string;
            /** @description Its id. */
            id: components["schemas"]["EnrollmentTokenId"];
            /** @description Labels for the hosts that join with it. */
            labels: {
                [key: string]: string;
            };
            /** @description Its purpose, for people. */
            note: string;
            /**
             * Format: int32
             * @description How many hosts may join with it.
             */
            seats: number;
            /** @description Whether a host can join with it. */
            state: components["schemas"]["EnrollmentTokenState"];
            /**
             * Format: int32
             * @description How many have joined.
             */
            used: number;
            /** @description What the caller may do with it now */
            allowed: components["schemas"]["ActionOnEnrollmentToken"][];
            /** @description Why the others cannot be done now, a sentence each: what a request for it would be refused with */
            why_not: {
                revoke?: string;
            };
        };
        EnrollmentTokenId: string;
        /** @description `POST /api/v1/enrollment-tokens`. */
        EnrollmentTokenRequest: {
            /**
             * @description Labels that every host gets that joins with it.
             * @default {}
             */
            labels?: {
                [key: string]: string;
            };
            /**
             * @description Its purpose, for people; up to 256 characters.
             * @default
             */
            note?: string;
            /**
             * Format: int32
             * @description How many hosts may join with it: 1 to 10 000. Absent: 1.
             * @default null
             */
            seats?: number | null;
            /**
             * Format: int32
             * @description How long it is valid, in seconds: 60 to 2 592 000 (30 days). Absent: 3 600.
             * @default null
             */
            valid_for_seconds?: number | null;
        };
        /**
         * @description Whether a host can join with a token.
         * @enum {string}
         */
        EnrollmentTokenState: "open" | "used_up" | "expired" | "revoked";
        /** @description An enrollment token as operators see it later. */
        EnrollmentTokenView: {
            /**
             * Format: date-time
             * @description When it was made.
             */
            created_at: string;
            /**
             * Format: date-time
             * @description When it ends.
             */
            expires_at: string;
            /** @description Its id. */
            id: components["schemas"]["EnrollmentTokenId"];
            /** @description Labels for the hosts that join with it. */
            labels: {
                [key: string]: string;
            };
            /** @description Its purpose, for people. */
            note: string;
            /**
             * Format: int32
             * @description How many hosts may join with it.
             */
            seats: number;
            /** @description Whether a host can join with it. */
            state: components["schemas"]["EnrollmentTokenState"];
            /**
             * Format: int32
             * @description How many have joined.
             */
            used: number;
            /** @description What the caller may do with it now */
            allowed: components["schemas"]["ActionOnEnrollmentToken"][];
            /** @description Why the others cannot be done now, a sentence each: what a request for it would be refused with */
            why_not: {
                revoke?: string;
            };
        };
        EnrollmentTokenViewPage: {
            /** @description The entries, in order; may be empty although more follow, when a filter left none over */
            items: components["schemas"]["EnrollmentTokenView"][];
            /** @description Where the next page starts; absent on the last */
            next_cursor?: string;
        };
        /** @description A payload with signatures over it and its type. */
        Envelope: {
            /** @description The payload's bytes, standard base64. */
            payload: string;
            /** @description The type of the payload. */
            payloadType: string;
            /** @description Signatures, in any order. */
            signatures: components["schemas"]["EnvelopeSignature"][];
        };
        /** @description One signature. */
        EnvelopeSignature: {
            /** @description The key's id: the first 16 hexadecimal digits of the SHA-256 of its 32 bytes. */
            keyid: string;
            /** @description The signature's 64 bytes, standard base64. */
            sig: string;
        };
        /** @description An event of a job. */
        Event: {
            /**
             * Format: date-time
             * @description When it happened, by the host's clock.
             */
            at: string;
            /**
             * Format: int64
             * @description Numbers the events of this job from this process, from 1. An event that is already stored is skipped.
             */
            sequence: number;
            /**
             * @description - `accepted`: The job is in the host's journal.
             *     - `starting`: The job is about to start: the agent starts it only after this was answered in its current session. A job that
             *     must not run twice is granted to one process; another one that asks ends it as `interrupted`.
             *     - `started`: The job has started.
             *     - `output`: Output of the job.
             *     - `output_lost`: Output of the job that is missing here: the server writes a line in its place.
             *     - `finished`: The job has ended.
             * @enum {string}
             */
            type: "accepted" | "starting" | "started" | "output" | "output_lost" | "finished";
            /** @description The text, at most 64 KiB; bytes that are not UTF-8 are replaced. */
            text?: string;
            /**
             * Format: int64
             * @description How much of it, in bytes. With `over_limit`, 0: nobody knows, because the agent that held it is gone.
             */
            bytes?: number;
            /**
             * @description Whether it is missing because the job printed more than its limit: what comes behind it is the end of the output.
             *     Absent: the host had to drop it before it was sent.
             */
            over_limit?: boolean;
            result?: components["schemas"]["JobResult"];
        };
        /** @description `POST /api/v1/agent/jobs/{job_id}/events`. */
        EventsRequest: {
            /** @description The events, in order. */
            events: components["schemas"]["Event"][];
            /** @description The agent process that numbers the events. */
            process_id: components["schemas"]["ProcessId"];
            /**
             * Format: int64
             * @description The agent's session. An older one gets 409 `session_superseded`.
             */
            session: number;
        };
        /** @description The answer to events. */
        EventsResponse: {
            /**
             * Format: int64
             * @description The highest event sequence of this process that is stored.
             */
            accepted_through: number;
            /** @description Whether the job must be stopped, or not be started. */
            cancel: boolean;
            /**
             * Format: int32
             * @description How long to gather output before the next request, in seconds: shorter while somebody watches.
             */
            send_every_seconds: number;
        };
        /**
         * @description The facts of a host, which its agent reads without running a command.
         *     Sent in full when a session starts and when its digest has changed.
         */
        Facts: {
            /**
             * @description `x86_64` or `aarch64`, as releases name it.
             * @default
             */
            architecture?: string;
            /**
             * Format: date-time
             * @description When the host was started.
             * @default null
             */
            booted_at?: string;
            /**
             * @description Job kinds that this host's policy allows, in order; and behind them what its agent can do beyond (`run.secret_environment`).
             * @default []
             */
            capabilities?: string[];
            /**
             * Format: int32
             * @description Logical processors.
             * @default 0
             */
            cpu_count?: number;
            /**
             * @description Mounted file systems.
             * @default []
             */
            disks?: components["schemas"]["Disk"][];
            /**
             * @description The host's own name, from the kernel.
             * @default
             */
            hostname?: string;
            /**
             * @description Addresses of the host's interfaces, without loopback, in text form.
             * @default []
             */
            ip_addresses?: string[];
            /**
             * @description The kernel's release. Empty when it cannot be told.
             * @default
             */
            kernel?: string;
            /**
             * @description SHA-256 of `/etc/machine-id`, hexadecimal: tells machines apart without naming them. Empty when there is none.
             * @default
             */
            machine_id_sha256?: string;
            /**
             * Format: int64
             * @description Physical memory in bytes.
             * @default 0
             */
            memory_bytes?: number;
            /**
             * @description `linux` or `windows`, as releases name it.
             * @default
             */
            os?: string;
            /**
             * @description The distribution and its version, from `/etc/os-release`. Empty when unknown.
             * @default
             */
            os_version?: string;
        };
        /**
         * @description The kind of failure of a call.
         * @enum {string}
         */
        FailureKind: "connection" | "name" | "certificate" | "timed_out" | "cut_off" | "not_ours" | "proxy_authentication" | "too_large" | "server" | "unknown";
        /** @description The fleet at one time. */
        FleetSample: {
            /**
             * Format: date-time
             * @description When it was taken.
             */
            at: string;
            /**
             * Format: int32
             * @description Hosts for which a newer release was published.
             */
            behind: number;
            /**
             * Format: int32
             * @description Hosts that were offline.
             */
            offline: number;
            /**
             * Format: int32
             * @description Hosts that were online.
             */
            online: number;
            /** @description Hosts by agent version: the 8 most common. */
            versions: {
                [key: string]: number;
            };
        };
        /** @description `POST /api/v1/fleet-updates/{id}/{pause,resume,cancel,retry-failed,write-off}`. */
        FleetUpdateAction: {
            /** @default null */
            host_id?: components["schemas"]["HostId"] | null;
            /**
             * @description Why, for people; up to 1 024 characters. Required to resume after a halt.
             * @default
             */
            note?: string;
        };
        /**
         * @description The state of a host within a fleet update.
         * @enum {string}
         */
        FleetUpdateHostState: "pending" | "offered" | "verifying" | "lost" | "succeeded" | "failed" | "skipped" | "cancelled";
        /** @description One host of a fleet update. */
        FleetUpdateHostView: {
            /**
             * Format: int32
             * @description How often it was offered the release.
             */
            attempts: number;
            /**
             * Format: date-time
             * @description When it reached its final state. Absent: not yet.
             */
            ended_at?: string;
            /** @description The host. */
            host_id: components["schemas"]["HostId"];
            /** @description The latest job. Absent: none yet. */
            job_id?: components["schemas"]["JobId"];
            /**
             * Format: date-time
             * @description When it was last offered. Absent: never.
             */
            offered_at?: string;
            /**
             * Format: int32
             * @description Its place in the order, from 0.
             */
            position: number;
            /** @description Why it ended as it did. Absent when there is nothing to say. */
            reason?: string;
            /** @description Its state. */
            state: components["schemas"]["FleetUpdateHostState"];
            /** @description Reads well after "Waiting for". Absent in a final state. */
            waiting_on?: string;
            /**
             * Format: int32
             * @description Its wave, from 0 (the canary).
             */
            wave: number;
        };
        FleetUpdateHostViewPage: {
            /** @description The entries, in order; may be empty although more follow, when a filter left none over */
            items: components["schemas"]["FleetUpdateHostView"][];
            /** @description Where the next page starts; absent on the last */
            next_cursor?: string;
        };
        FleetUpdateId: string;
        /** @description The plan of a fleet update: the answer to a dry run. */
        FleetUpdatePlan: {
            /**
             * Format: int64
             * @description How long it takes at best, in seconds: probation of each host and soak between waves.
             */
            best_case_seconds: number;
            /** @description Hosts that already run the release, and are skipped. */
            current: components["schemas"]["HostId"][];
            /** @description Whether there are more hosts than were examined: a dry run stops after 5 000. */
            incomplete?: boolean;
            /**
             * Format: int32
             * @description How many hosts may be in an unproven update at once.
             */
            max_in_flight: number;
            /** @description Hosts in the waves that are offline now. */
            offline: components["schemas"]["HostId"][];
            /** @description The release. */
            version: string;
            /** @description The waves in order, the canary first. */
            waves: components["schemas"]["PlannedHost"][][];
        };
        /** @description `POST /api/v1/fleet-updates`; with `?dry_run=true` the answer is the plan and nothing is started. */
        FleetUpdateRequest: {
            /**
             * Format: int32
             * @description How long to wait for offline hosts, in seconds: at most 30 days. Absent: 7 days.
             */
            deadline_seconds?: number | null;
            /** @description Which hosts, by id: at most 1 000. Absent with `selector` absent too: every active host. */
            host_ids?: components["schemas"]["HostId"][];
            /**
             * Format: int32
             * @description How long one host may take from the offer to the proof, in seconds: 60 to 86 400. Absent: 1 200.
             */
            host_time_limit_seconds?: number | null;
            maintenance_window?: components["schemas"]["MaintenanceWindow"] | null;
            /**
             * Format: int32
             * @description How many failures halt it: 1 to 1 000. Absent: 1, the first.
             */
            max_failures?: number | null;
            max_in_flight?: components["schemas"]["Share"] | null;
            /** @description Why, for people; up to 1 024 characters. */
            note?: string;
            /** @description The rule for offline hosts. Absent: `skip`. */
            offline_policy?: components["schemas"]["OfflinePolicy"];
            selector?: components["schemas"]["Selector"] | null;
            /**
             * Format: int32
             * @description How long to watch a finished wave before the next, in seconds: at most 7 days. Absent: 300.
             */
            soak_seconds?: number | null;
            /** @description The version of the agent release to bring; must be published. A request names exactly one change. */
            version?: string | null;
            /** @description Sizes of the waves, the canary first; the remaining hosts are the last wave. Absent: one host, then the rest. */
            waves?: components["schemas"]["Share"][] | null;
        };
        /**
         * @description The state of a fleet update.
         * @enum {string}
         */
        FleetUpdateState: "planning" | "running" | "paused" | "halted" | "completed" | "cancelled";
        /** @description A fleet update as operators see it. */
        FleetUpdateView: {
            /** @description Hosts by state. */
            counts: components["schemas"]["Counts"];
            /**
             * Format: date-time
             * @description When it was started.
             */
            created_at: string;
            /** @description The caller that started it: `user:<id>` or `key:<id>`. */
            created_by: string;
            /** @description The display name of that caller at that time. */
            created_by_name?: string;
            /**
             * Format: date-time
             * @description When it was completed or cancelled. Absent: not yet.
             */
            ended_at?: string;
            /**
             * Format: int32
             * @description Failures since it was started or last resumed.
             */
            failures: number;
            /** @description Why it halted. Absent when it did not. */
            halted_reason?: string;
            /** @description Its id. */
            id: components["schemas"]["FleetUpdateId"];
            /** @description Hosts in an unproven update right now; at most the first 100 of them. */
            in_flight: components["schemas"]["HostId"][];
            /** @description SHA-256 of the release's signed payload. */
            manifest_sha256: string;
            /**
             * Format: int32
             * @description How many failures halt it.
             */
            max_failures: number;
            /**
             * Format: int32
             * @description How many hosts may be in an unproven update at once. 0 while it is planned.
             */
            max_in_flight: number;
            /** @description Why, for people. */
            note: string;
            /** @description Why it was paused, by whoever paused it. Empty when nobody said so, and when it is not paused. */
            paused_note?: string;
            /**
             * Format: int64
             * @description The record's revision; `?wait=` waits for the next.
             */
            revision: number;
            /**
             * Format: int32
             * @description How long a finished wave is watched, in seconds.
             */
            soak_seconds: number;
            /** @description Its state. */
            state: components["schemas"]["FleetUpdateState"];
            /** @description A short title of the change, for people: `agent 1.9.2`. Empty from a server that is older than this field. */
            title?: string;
            /** @description The version of the release that it brings. */
            version: string;
            /** @description Reads well after "Waiting for". Absent when it is completed or cancelled. */
            waiting_on?: string;
            /**
             * Format: int32
             * @description The wave being offered, from 0 (the canary).
             */
            wave: number;
            /** @description The waves' sizes, in hosts. Empty while it is planned. */
            waves: number[];
            /** @description What the caller may do with it now */
            allowed: components["schemas"]["ActionOnFleetUpdate"][];
            /** @description Why the others cannot be done now, a sentence each: what a request for it would be refused with */
            why_not: {
                cancel?: string;
                pause?: string;
                resume?: string;
                retry_failed?: string;
                write_off?: string;
            };
        };
        FleetUpdateViewPage: {
            /** @description The entries, in order; may be empty although more follow, when a filter left none over */
            items: components["schemas"]["FleetUpdateView"][];
            /** @description Where the next page starts; absent on the last */
            next_cursor?: string;
        };
        /** @description `GET /api/v1/health`. */
        Health: {
            /** @description `ok`, or `failing` when a deep check could not reach the store. */
            status: components["schemas"]["HealthStatus"];
            /**
             * Format: date-time
             * @description The server's clock.
             */
            time: string;
            /** @description The server's version. */
            version: string;
        };
        /**
         * @description The health of the server.
         * @enum {string}
         */
        HealthStatus: "ok" | "failing" | "unknown";
        /** @description `PATCH /api/v1/hosts/{id}`: absent fields stay as they are. */
        HostChange: {
            /** @description Labels to set, or to remove where the value is null. */
            labels?: {
                [key: string]: string | null;
            };
            /** @description A new name: 1 to 128 characters. */
            name?: string | null;
        };
        /** @description Hosts by state, without retired ones. */
        HostCounts: {
            /**
             * Format: int32
             * @description Hosts for which a newer release is published.
             */
            behind: number;
            /**
             * Format: int32
             * @description Hosts that did not.
             */
            offline: number;
            /**
             * Format: int32
             * @description Hosts that made a request within the offline threshold.
             */
            online: number;
            /**
             * Format: int32
             * @description Hosts that are blocked until an operator readmits them.
             */
            quarantined: number;
            /**
             * Format: int32
             * @description All hosts.
             */
            total: number;
        };
        HostId: string;
        /** @description A host that does not take a job. */
        HostRefused: {
            /** @description The host. */
            host_id: components["schemas"]["HostId"];
            /** @description Why not. */
            problem: components["schemas"]["Problem"];
        };
        /**
         * @description The state of a host.
         * @enum {string}
         */
        HostState: "active" | "quarantined" | "retired";
        /** @description `POST /api/v1/hosts/{id}/update`: update the agent of one host. */
        HostUpdateRequest: {
            /** @description The release's version; must be published. */
            version: string;
        };
        /** @description A host as operators see it. */
        HostView: {
            /** @description Its agent. Absent until its first session. */
            agent?: components["schemas"]["AgentReport"];
            /**
             * @description Whether the server holds a check-in of it at this moment: it receives at once what is sent to it. Absent: it does not, or
             *     another process of the server does.
             */
            connected?: boolean;
            /**
             * Format: date-time
             * @description When it joined.
             */
            enrolled_at: string;
            /** @description Its facts, as it reported them. */
            facts: components["schemas"]["Facts"];
            /** @description The host's id. */
            id: components["schemas"]["HostId"];
            /** @description Its labels, from its enrollment token and from operators. */
            labels: {
                [key: string]: string;
            };
            /**
             * Format: date-time
             * @description When it was last seen before it was connected, to within `presence_write_seconds` (300 by default). Absent until its
             *     first check-in.
             */
            last_seen_at?: string;
            /** @description Its name: what an operator has given it, or else its hostname. */
            name: string;
            /** @description Whether it is connected, or was heard from lately and has not left since; derived when it is read. */
            online: boolean;
            /**
             * Format: int32
             * @description Jobs that are not final.
             */
            open_jobs: number;
            /**
             * Format: int64
             * @description The record's revision: its `ETag` begins with it, and `If-Match` compares it.
             */
            revision: number;
            /**
             * Format: int64
             * @description The number of its current session; 0 before the first.
             */
            session: number;
            /** @description Its state. */
            state: components["schemas"]["HostState"];
            /** @description Why it is quarantined or retired. Absent while it is active. */
            state_reason?: string;
            /** @description Whether a published release is newer than its agent. */
            update_available: boolean;
            /** @description The upstreams of its agent, as last reported. */
            upstreams?: components["schemas"]["Upstream"][];
            /** @description What the caller may do with it now */
            allowed: components["schemas"]["ActionOnHost"][];
            /** @description Why the others cannot be done now, a sentence each: what a request for it would be refused with */
            why_not: {
                change?: string;
                readmit?: string;
                remove?: string;
                reset_breakers?: string;
                run?: string;
                update?: string;
            };
        };
        HostViewPage: {
            /** @description The entries, in order; may be empty although more follow, when a filter left none over */
            items: components["schemas"]["HostView"][];
            /** @description Where the next page starts; absent on the last */
            next_cursor?: string;
        };
        /**
         * @description What to do when a host is offline.
         * @enum {string}
         */
        IfOffline: "fail" | "queue";
        /** @description Report the host's facts in full. */
        InspectSpec: Record<string, unknown>;
        /** @description Why a job did not succeed. */
        JobError: {
            /**
             * @description A stable word: `exit_code`, `signal`, `time_limit`, `policy`, `unknown_kind`, `start_by_passed`, `agent_restarted`,
             *     `signature`, `digest`, `size`, `platform`, `rollback`, `preflight`, `download`, `rolled_back`, `inconclusive`, `reboot_refused`, `not_restarted`, …
             */
            code: string;
            /** @description The same for people; up to 4 KiB. */
            message: string;
        };
        JobId: string;
        /** @description `POST /api/v1/jobs`: the same work on one host or several, a job each. */
        JobRequest: {
            /** @description Which hosts, by id; at most 100. Either this or `selector`. */
            host_ids?: components["schemas"]["HostId"][];
            /** @description What to do when a host is offline. Absent: `fail`. */
            if_offline?: components["schemas"]["IfOffline"];
            /**
             * @description The kind of job. `self_update` is asked for by an update of the agent goes through POST /api/v1/hosts/{id}/update or a fleet update.
             * @enum {string}
             */
            kind: "run" | "inspect" | "reset_breakers" | "reboot";
            selector?: components["schemas"]["Selector"] | null;
            /** @description What to do: the spec of that kind. Absent: an empty object. */
            spec?: components["schemas"]["RunSpec"] | components["schemas"]["InspectSpec"] | components["schemas"]["ResetBreakersSpec"] | components["schemas"]["RebootSpec"];
            /**
             * Format: date-time
             * @description Latest start. Absent: an hour from now. Past it the job is never run.
             */
            start_by?: string | null;
            /**
             * Format: int32
             * @description How long it may run, in seconds, from 1 to 86 400; enforced by the agent. Absent: 600.
             */
            time_limit_seconds?: number | null;
        };
        /** @description A job's result. The same result may be reported any number of times; another one is refused. */
        JobResult: {
            /** @description What the job found out (`inspect`: the facts); up to 64 KiB. Absent when there is nothing to say. */
            detail?: Record<string, unknown>;
            /** @description Why it did not succeed. Absent when it did. */
            error?: components["schemas"]["JobError"];
            /**
             * Format: int32
             * @description The program's exit code. Absent when there was no program or a signal ended it.
             */
            exit_code?: number;
            /**
             * Format: date-time
             * @description When it ended, by the host's clock.
             */
            finished_at: string;
            /** @description How it ended. */
            outcome: components["schemas"]["Outcome"];
            /**
             * Format: int64
             * @description Output in bytes, with what was not kept. It is counted as the log is: as text, in which bytes that are not UTF-8 are
             *     replaced.
             */
            output_bytes?: number;
            /** @description Whether there was more output than the limit: its middle was dropped. */
            output_truncated?: boolean;
            /**
             * Format: date-time
             * @description When it was started, by the host's clock. Absent when it was not.
             */
            started_at?: string;
        };
        /**
         * @description Where a job is. The last six but one are final and never change; `presumed_lost` is corrected by a late report.
         * @enum {string}
         */
        JobState: "queued" | "offered" | "accepted" | "running" | "presumed_lost" | "succeeded" | "failed" | "cancelled" | "interrupted" | "rejected" | "superseded" | "expired";
        /** @description A job as operators see it. */
        JobView: {
            /**
             * Format: date-time
             * @description When the host said that it has it. Absent: not yet.
             */
            accepted_at?: string;
            /** @description Whether an operator wants it stopped. */
            cancel_requested: boolean;
            /**
             * Format: date-time
             * @description When it was asked for.
             */
            created_at: string;
            /** @description Who asked for it: `user:<id>`, `key:<id>`, or a fleet update's id. */
            created_by: string;
            /** @description What people called it then: a user's or an API key's name. Empty for a fleet update. */
            created_by_name?: string;
            /**
             * Format: date-time
             * @description When it became final. Absent: not yet.
             */
            ended_at?: string;
            /** @description The fleet update it belongs to. Absent when an operator asked for it. */
            fleet_update_id?: components["schemas"]["FleetUpdateId"];
            /**
             * Format: date-time
             * @description When it was given up. Absent: it was not.
             */
            given_up_at?: string;
            /** @description Who gave it up because its host is lost: a user's or an API key's name. Absent: nobody. */
            given_up_by?: string;
            /** @description Where it runs. */
            host_id: components["schemas"]["HostId"];
            /** @description Its id. */
            id: components["schemas"]["JobId"];
            /**
             * Format: int64
             * @description Bytes of log kept so far.
             */
            log_bytes: number;
            /** @description That its log was erased: nothing of it is left, and no further output is kept. Absent: it was not. */
            log_erased?: components["schemas"]["LogErased"];
            /**
             * Format: date-time
             * @description When it was first offered. Absent: never.
             */
            offered_at?: string;
            /**
             * Format: int64
             * @description Bytes of output that are missing in the log because there were more than its limit: the log keeps the beginning and the
             *     end, and has a line between them. Absent: none.
             */
            output_cut_bytes?: number;
            /**
             * Format: int64
             * @description Bytes of output that the host could not keep until they were stored: the log has a line in place of each. Absent: none.
             */
            output_lost_bytes?: number;
            /**
             * @description What it acts on (`agent`): one job per resource runs at a time, and none beside one that acts on `host`. Absent: nothing
             *     that others act on.
             */
            resource?: string;
            /** @description How it ended, by the host's word. Absent until the host has said so. */
            result?: components["schemas"]["JobResult"];
            /**
             * Format: int64
             * @description The record's revision.
             */
            revision: number;
            /**
             * Format: int64
             * @description Its place in the host's own order.
             */
            sequence: number;
            /**
             * Format: date-time
             * @description Latest start.
             */
            start_by: string;
            /**
             * Format: date-time
             * @description When the host said that it has started: its time limit counts from here. Absent: not yet.
             */
            started_at?: string;
            /** @description Where it is. */
            state: components["schemas"]["JobState"];
            /**
             * Format: int32
             * @description How long it may run, in seconds.
             */
            time_limit_seconds: number;
            /** @description The same in a few words, for people. Empty when the server is older than this field. */
            title?: string;
            /** @description What it waits for, in words. Absent when it is final. */
            waiting_on?: string;
            /** @description What the caller may do with it now */
            allowed: components["schemas"]["ActionOnJob"][];
            /** @description Why the others cannot be done now, a sentence each: what a request for it would be refused with */
            why_not: {
                cancel?: string;
                erase_log?: string;
                give_up?: string;
            };
            /**
             * @description - `run`: Run a program. Recovery: `once`.
             *     - `inspect`: Report the host's facts in full. Recovery: `converge`.
             *     - `reset_breakers`: Close the agent's circuit breakers: what did not answer is well again. Recovery: `converge`.
             *     - `self_update`: Bring the agent to a release. Recovery: `probe`.
             *     - `reboot`: Restart the machine. Recovery: `probe`, by the boot id.
             * @enum {string}
             */
            kind: "run" | "inspect" | "reset_breakers" | "self_update" | "reboot";
            spec: components["schemas"]["SelfUpdateSpec"] | components["schemas"]["RunSpec"] | components["schemas"]["InspectSpec"] | components["schemas"]["ResetBreakersSpec"] | components["schemas"]["RebootSpec"];
        };
        JobViewPage: {
            /** @description The entries, in order; may be empty although more follow, when a filter left none over */
            items: components["schemas"]["JobView"][];
            /** @description Where the next page starts; absent on the last */
            next_cursor?: string;
        };
        /** @description The answer to `POST /api/v1/jobs`. */
        JobsCreated: {
            /** @description A job per host that takes it. */
            items: components["schemas"]["JobView"][];
            /** @description Hosts that do not, each with its problem. A request for a single host answers with the problem itself. */
            refused?: components["schemas"]["HostRefused"][];
        };
        /** @description A failed call. */
        LastFailure: {
            /**
             * Format: date-time
             * @description When it failed, by the host's clock.
             */
            at: string;
            /** @description The kind of failure. */
            kind: components["schemas"]["FailureKind"];
            /** @description The error, for people; up to 1 KiB. */
            reason?: string;
        };
        /** @description An outage: a time without a successful call. */
        LastOutage: {
            /**
             * Format: date-time
             * @description When the first call failed, by the host's clock.
             */
            began_at: string;
            /**
             * Format: int64
             * @description How many calls failed in it.
             */
            failures: number;
            /**
             * Format: int64
             * @description How long it was until the next success, in seconds.
             */
            seconds: number;
        };
        /** @description How an update of the agent ended, by the supervisor's record. */
        LastUpdate: {
            /** @description How it ended. */
            outcome: components["schemas"]["UpdateOutcome"];
            /** @description Why, for people; up to 4 KiB, with the last lines of a failed start. Empty when committed. */
            reason?: string;
            /** @description The new version. */
            to: string;
            /** @description The job that asked for it. */
            transaction: components["schemas"]["JobId"];
            /**
             * Format: int32
             * @description How often the new version was started.
             */
            tries?: number;
        };
        /** @description Who erased the log of a job, when, and why. */
        LogErased: {
            /**
             * Format: date-time
             * @description When, by the server's clock.
             */
            at: string;
            /** @description Who: `user:<id>` or `key:<id>`. */
            by: string;
            /** @description What people called them then. */
            by_name?: string;
            /** @description Why, in their words. */
            reason: string;
        };
        /** @description `POST /api/v1/session`: sign in. */
        LoginRequest: {
            /** @description How the session is kept. Absent: `cookie`. */
            kind?: components["schemas"]["SessionKind"];
            /** @description Its password. */
            password: components["schemas"]["Secret"];
            /** @description The account's name. */
            username: string;
        };
        /** @description A daily window in UTC in which hosts may be offered the release. An end before the start is on the next day. */
        MaintenanceWindow: {
            /** @description `HH:MM`. */
            end: string;
            /** @description `HH:MM`. */
            start: string;
        };
        /** @description The signed content of a release: one version and its files. Made by `muster release sign`. */
        Manifest: {
            /**
             * Format: date-time
             * @description When it was signed, by the signer's clock. For people; nothing expires by it.
             */
            issued_at: string;
            /**
             * Format: int64
             * @description Grows with every signed release: an agent refuses a number below the highest one it has stored (rollback protection).
             */
            manifest_version: number;
            /** @description `muster-agent`. */
            product: string;
            /** @description Revoked versions, which must not be installed any more. */
            revoked?: string[];
            /**
             * Format: int64
             * @description Releases with a `manifest_version` below this are refused from then on.
             */
            security_floor?: number;
            /** @description The files, one per platform. */
            targets: components["schemas"]["Target"][];
            /** @description `release`. */
            type: string;
            /** @description The version, as the binary itself says it. */
            version: string;
        };
        /**
         * @description The rule for hosts that are offline at their turn.
         * @enum {string}
         */
        OfflinePolicy: "skip" | "wait" | "fail" | "catch_up";
        /**
         * @description How a job ended, by the host's word.
         * @enum {string}
         */
        Outcome: "succeeded" | "failed" | "cancelled" | "interrupted" | "rejected";
        /**
         * @description `GET /api/v1/overview`: the whole fleet in one answer. Hosts are counted periodically, no matter how many people look;
         *     everything else is current.
         */
        Overview: {
            /**
             * Format: date-time
             * @description When hosts were counted and failed jobs collected.
             */
            as_of: string;
            /** @description Fleet updates that have not ended. */
            fleet_updates: components["schemas"]["FleetUpdateView"][];
            /**
             * @description The history of the fleet, oldest first: a sample per quarter of an hour for the last day, then per hour for the last
             *     week, then per day; at most 400. Samples are taken when somebody looks, so there may be gaps.
             */
            history: components["schemas"]["FleetSample"][];
            /** @description Hosts by state. */
            hosts: components["schemas"]["HostCounts"];
            /** @description The newest release that is published. Null: there is none. */
            newest_release: string | null;
            /** @description Failed jobs, newest first: at most 10, of the newest 200 jobs. */
            recent_failures: components["schemas"]["JobView"][];
            /** @description Hosts by agent version: the 50 most common. */
            versions: {
                [key: string]: number;
            };
        };
        /** @description A whole number from 1 to 100, written `"10%"`. */
        Percent: string;
        /** @description One host of a plan. */
        PlannedHost: {
            /** @description The host. */
            host_id: components["schemas"]["HostId"];
            /** @description Its name. */
            name: string;
            /** @description Whether it is online. */
            online: boolean;
            /** @description The version of its agent. Absent before its first session. */
            version?: string;
        };
        /** @description An error as the caller sees it (RFC 9457, `application/problem+json`). */
        Problem: {
            /** @description The stable word to match on. */
            code: components["schemas"]["ProblemCode"];
            /** @description The exact error and the rule behind it. Absent when the title says it all. */
            detail?: string;
            /** @description The field that breaks the rule, as a path (`spec.argv[0]`). Absent when no single field does. */
            field?: string;
            /** @description The request's id, to quote to the operator of the server. Absent in problems that no request caused. */
            instance?: string;
            /**
             * Format: int32
             * @description The HTTP status.
             */
            status: number;
            /** @description The code as a short sentence. */
            title: string;
            /** @description `/problems/` and the code. */
            type: string;
        };
        /**
         * @description The error, as a stable word that programs may match on.
         * @enum {string}
         */
        ProblemCode: "invalid" | "malformed" | "unauthorized" | "forbidden" | "csrf_refused" | "not_found" | "host_not_found" | "method_not_allowed" | "wrong_state" | "already_exists" | "host_offline" | "host_in_use" | "host_quarantined" | "host_retired" | "session_superseded" | "already_up_to_date" | "update_in_progress" | "fleet_update_active" | "locked" | "result_conflict" | "idempotency_key_reused" | "revision_mismatch" | "contended" | "too_large" | "enrollment_token_invalid" | "agent_too_old" | "too_many_requests" | "unavailable" | "internal" | "unknown";
        ProcessId: string;
        /** @description `POST /api/v1/hosts/{id}/readmit`: why an operator decided so. */
        Reason: {
            /** @description For people: 1 to 1 024 characters. */
            reason: string;
        };
        /** @description Restart the machine. */
        RebootSpec: Record<string, unknown>;
        /**
         * @description What the agent does about a job that was cut off after it had started.
         * @enum {string}
         */
        Recovery: "converge" | "probe" | "once";
        /**
         * @description Whether a release can be offered.
         * @enum {string}
         */
        ReleaseState: "draft" | "published" | "yanked";
        /** @description A release as operators see it. */
        ReleaseView: {
            /**
             * Format: date-time
             * @description When it was announced.
             */
            created_at: string;
            /** @description The signed manifest. The server stores it without a guarantee: agents verify it. */
            manifest: components["schemas"]["Manifest"];
            /** @description SHA-256 of the signed payload, hexadecimal. */
            manifest_sha256: string;
            /**
             * Format: int64
             * @description The record's revision.
             */
            revision: number;
            /** @description Ids of the keys that signed. */
            signed_by: string[];
            /** @description Whether it can be offered. */
            state: components["schemas"]["ReleaseState"];
            /** @description Platforms whose files are uploaded, as `linux-x86_64`. */
            uploaded: string[];
            /** @description The version. */
            version: string;
            /** @description Reads well after "Waiting for". Absent when it waits for nothing. */
            waiting_on?: string;
            /** @description Why it was yanked. Absent when it was not. */
            yanked_reason?: string;
            /** @description What the caller may do with it now */
            allowed: components["schemas"]["ActionOnRelease"][];
            /** @description Why the others cannot be done now, a sentence each: what a request for it would be refused with */
            why_not: {
                yank?: string;
            };
        };
        ReleaseViewPage: {
            /** @description The entries, in order; may be empty although more follow, when a filter left none over */
            items: components["schemas"]["ReleaseView"][];
            /** @description Where the next page starts; absent on the last */
            next_cursor?: string;
        };
        /** @description Another URL of the same server. */
        Relocation: {
            /** @description The public URLs that it had before. A host that calls it by none of them stays where it is. */
            from: string[];
            /** @description The server's public URL now. */
            to: string;
        };
        /** @description Close the agent's circuit breakers. */
        ResetBreakersSpec: Record<string, unknown>;
        /**
         * @description The role of a caller. Each role includes the one before it.
         * @enum {string}
         */
        Role: "viewer" | "operator" | "admin";
        /** @description A program to run, without a shell. */
        RunSpec: {
            /** @description The program's absolute path and its arguments: 1 to 256 texts without NUL, at most 64 KiB. The path has no `.` or `..`. */
            argv: string[];
            /**
             * @description Variables that it gets over `HOME`, `USER`, `LOGNAME` and `SHELL` of its account and `LANG=C.UTF-8`: at most 256 variables
             *     and 64 KiB, with the secret ones. `PATH` is the agent's, and `MUSTER_JOB_ID` is the job's id. To callers who may only look,
             *     the values are `***`.
             */
            environment?: {
                [key: string]: string;
            };
            /**
             * Format: int64
             * @description How much of its output is kept, in bytes: its beginning and its end; at most 16 MiB. Absent: 1 MiB.
             */
            output_limit_bytes?: number | null;
            /**
             * @description The account of the host that it runs under, with that account's groups and nothing of the agent's rights: a name that the
             *     host's policy allows. Absent: the first that the policy names, else the agent's own.
             */
            run_as?: string | null;
            /**
             * @description More variables, whose values are secret. No answer, log or audit entry tells them (`***` stands there instead), and they
             *     are erased when the job has ended. For hosts with the capability `run.secret_environment`.
             */
            secret_environment?: {
                [key: string]: components["schemas"]["Secret"];
            };
            /**
             * Format: int32
             * @description How long it has to end when it is asked to (SIGTERM), with everything that it has started, before all of it is killed, in
             *     seconds: at most 240. Absent: 10 s.
             */
            stop_grace_seconds?: number | null;
            /** @description Where it runs: an absolute path without `.` or `..`. Absent: `/`. */
            working_directory?: string | null;
        };
        /** @description A secret text. `Debug` prints `***` and there is no `Display`; `reveal` is the one way to the text. */
        Secret: string;
        /**
         * @description The name of a section.
         * @enum {string}
         */
        Section: "agent" | "facts" | "upstreams" | "unknown";
        /** @description Selects hosts. An empty selector means every active host. */
        Selector: {
            /**
             * @description Labels that a host must all have.
             * @default {}
             */
            labels?: {
                [key: string]: string;
            };
            /**
             * @description The operating system a host must have. Absent: any.
             * @default null
             */
            os?: string | null;
        };
        /** @description Bring the agent to a release. */
        SelfUpdateSpec: {
            /** @description SHA-256 of the signed manifest's payload, hexadecimal: which release exactly. */
            manifest_sha256: string;
            /** @description The release's version. */
            version: string;
        };
        /**
         * @description `POST /api/v1/agent/session/end`: an agent process stops. A server of before does not know it, and presumes the host offline
         *     later.
         */
        SessionEnd: {
            /**
             * Format: int64
             * @description The session that ends.
             */
            session: number;
        };
        /**
         * @description How a session's secret is sent.
         * @enum {string}
         */
        SessionKind: "cookie" | "bearer";
        /** @description `POST /api/v1/agent/session`: an agent process has started. */
        SessionRequest: {
            /** @description The running agent. */
            agent: components["schemas"]["AgentReport"];
            /** @description The facts of the host. */
            facts: components["schemas"]["Facts"];
            /**
             * Format: int64
             * @description The highest job sequence the host's journal has seen; 0 when none. A server that was restored from an old backup
             *     raises its own to this.
             */
            highest_sequence?: number;
            /**
             * Format: int32
             * @description The protocol the agent speaks.
             */
            protocol: number;
            /** @description The digest of these reports: 16 hexadecimal digits. Empty: the agent does not compare digests. */
            reports_digest?: string;
            /** @description The upstreams of the agent, as this process has seen them so far; at most 8. Empty: the agent does not report them. */
            upstreams?: components["schemas"]["Upstream"][];
        };
        /** @description The answer to a new session. */
        SessionResponse: {
            /** @description The sections that the server accepts; it compares `reports_digest`. Empty: it compares `facts_digest` alone. */
            sections?: components["schemas"]["Section"][];
            /**
             * Format: date-time
             * @description The server's clock.
             */
            server_time: string;
            /**
             * Format: int64
             * @description The session's number: one more than the host's last. Every later request names it.
             */
            session: number;
        };
        /** @description A session of a person. */
        SessionView: {
            /** @description The token that a browser must send as `X-CSRF-Token` with every change. Absent for programs. */
            csrf_token?: components["schemas"]["Secret"];
            /**
             * Format: date-time
             * @description When it expires at the latest.
             */
            expires_at: string;
            /** @description Their role. */
            role: components["schemas"]["Role"];
            /** @description The secret for `Authorization: Bearer`; shown only once. Absent for browsers. */
            token?: components["schemas"]["Secret"];
            /** @description The person. */
            username: string;
            /** @description What the caller may do with it now */
            allowed: components["schemas"]["ActionOfCaller"][];
            /** @description Why the others cannot be done now, a sentence each: what a request for it would be refused with */
            why_not: {
                create_api_keys?: string;
                create_enrollment_tokens?: string;
                create_fleet_updates?: string;
                create_jobs?: string;
                create_users?: string;
                look_at_api_keys?: string;
                look_at_audit?: string;
                look_at_enrollment_tokens?: string;
                look_at_users?: string;
                publish_releases?: string;
            };
        };
        /** @description A number of hosts, or a share of those taking part: `5` or `"10%"`. */
        Share: number | components["schemas"]["Percent"];
        /** @description The answer to `GET /api/v1/storage`. */
        StorageView: {
            /**
             * Format: int64
             * @description The size of the database file, in bytes. Absent where the server keeps no file.
             */
            file_bytes?: number;
            /** @description What is kept, by kind: the largest first. */
            kinds: components["schemas"]["StoredKind"][];
            /**
             * Format: date-time
             * @description When it was measured, by the server's clock: within the last hour.
             */
            measured_at: string;
            /**
             * Format: int64
             * @description The size of its write-ahead log, in bytes. Absent where the server keeps no file.
             */
            write_ahead_log_bytes?: number;
        };
        /** @description Records of one kind. */
        StoredKind: {
            /**
             * Format: int64
             * @description How many bytes their keys, index entries and bodies have. Absent where `records` is.
             */
            bytes?: number;
            /** @description The kind: `job`, `log` (pieces of logs), `audit` … */
            kind: string;
            /**
             * Format: date-time
             * @description When the oldest of them was made. Absent where it is not known.
             */
            oldest_at?: string;
            /**
             * Format: int64
             * @description How many records. Absent where the table cannot tell without being read as a whole (`DynamoDB`).
             */
            records?: number;
        };
        /** @description One file of a release, for one platform. */
        Target: {
            /** @description `x86_64` or `aarch64`. */
            arch: string;
            /** @description `linux` or `windows`. */
            os: string;
            /** @description SHA-256 of the file, hexadecimal. */
            sha256: string;
            /**
             * Format: int64
             * @description The file's size in bytes, exactly.
             */
            size: number;
        };
        /** @description The answer to `POST /api/v1/tick`: what the tick did. */
        TickReport: {
            /** @description Due records that were handled. */
            due: number;
            /** @description Expired records that were removed. */
            expired: number;
        };
        /**
         * @description `POST /oauth/token`, form-encoded (RFC 7523). `client_assertion` is a JWT signed with the host's Ed25519 key: `iss` and
         *     `sub` are the host id, `aud` the audience that enrollment answered with, `exp` at most 60 s after `iat`, `jti` drawn at random.
         */
        TokenRequest: {
            /** @description The signed assertion. */
            client_assertion: components["schemas"]["Secret"];
            /** @description `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`. */
            client_assertion_type: string;
            /** @description `client_credentials`. */
            grant_type: string;
        };
        /** @description An access token. */
        TokenResponse: {
            /** @description The token for `Authorization: Bearer`. */
            access_token: components["schemas"]["Secret"];
            /**
             * Format: int32
             * @description How long it is valid, in seconds.
             */
            expires_in: number;
            /** @description The server's URL, if it had another one before: hosts that call it by that one follow. Absent: it had no other. */
            relocation?: components["schemas"]["Relocation"];
            /** @description `Bearer`. */
            token_type: string;
        };
        /**
         * @description How an update of the agent ended.
         * @enum {string}
         */
        UpdateOutcome: "committed" | "rolled_back" | "inconclusive" | "refused" | "unknown";
        /** @description `POST /api/v1/releases/{version}/targets/{platform}/upload`: where to upload the file. Since protocol 1. */
        UploadPlace: {
            /** @description Headers to send with it, unchanged. */
            headers?: {
                [key: string]: string;
            };
            /**
             * @description A URL of the object store for one `PUT` of just this file, good for an hour; then
             *     `PUT /releases/{version}/targets/{platform}?uploaded=true` without a body confirms it. Anybody with the URL can
             *     upload this file. Absent: the bytes go to `PUT /releases/{version}/targets/{platform}` itself.
             */
            url?: components["schemas"]["Secret"];
        };
        /** @description One upstream, as the agent process has seen it since it started. */
        Upstream: {
            /** @description The state of its circuit breaker. */
            breaker: components["schemas"]["BreakerState"];
            /**
             * Format: int64
             * @description How many calls have failed.
             */
            failures?: number;
            /** @description The last failed call. Absent: none has failed. */
            last_failure?: components["schemas"]["LastFailure"];
            /** @description The last outage that has ended, even if only one call failed. Absent: there was none. */
            last_outage?: components["schemas"]["LastOutage"];
            /** @description `api`, `object_store`. */
            name: string;
            /**
             * Format: int64
             * @description How often the circuit breaker has opened.
             */
            opened?: number;
            /**
             * Format: int64
             * @description Output of jobs that waits for it on the host's disk (spool), in bytes. Absent: none.
             */
            spooled_bytes?: number;
        };
        /** @description `PATCH /api/v1/users/{id}`: absent fields stay as they are. */
        UserChange: {
            /** @default null */
            password?: components["schemas"]["Secret"] | null;
            /** @default null */
            role?: components["schemas"]["Role"] | null;
        };
        UserId: string;
        /** @description `POST /api/v1/users`. */
        UserRequest: {
            /** @description 12 to 256 characters, of which at least 5 are different; neither a common password nor the name. */
            password: components["schemas"]["Secret"];
            /** @description Their role. */
            role: components["schemas"]["Role"];
            /** @description 1 to 64 characters of `a-z 0-9 . _ -`. */
            username: string;
        };
        /** @description An account. */
        UserView: {
            /**
             * Format: date-time
             * @description When it was made.
             */
            created_at: string;
            /** @description Its id. */
            id: components["schemas"]["UserId"];
            /**
             * Format: int64
             * @description The record's revision, the same as in its `ETag`.
             */
            revision: number;
            /** @description Its role. */
            role: components["schemas"]["Role"];
            /** @description Its name. */
            username: string;
            /** @description What the caller may do with it now */
            allowed: components["schemas"]["ActionOnUser"][];
            /** @description Why the others cannot be done now, a sentence each: what a request for it would be refused with */
            why_not: {
                change?: string;
                remove?: string;
            };
        };
        UserViewPage: {
            /** @description The entries, in order; may be empty although more follow, when a filter left none over */
            items: components["schemas"]["UserView"][];
            /** @description Where the next page starts; absent on the last */
            next_cursor?: string;
        };
        /** @description `GET /api/v1/version`. */
        Version: {
            /** @description The commit it was built from; `unknown` when built outside a checkout. */
            commit: string;
            /**
             * Format: int32
             * @description The protocol it speaks with agents.
             */
            protocol: number;
            /** @description The server's version, as built in. */
            version: string;
        };
        /** @description `POST /api/v1/releases/{version}/yank`. */
        YankRequest: {
            /** @description Why, for people: 1 to 1 024 characters. */
            reason: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    releases_blob: {
        parameters: {
            query?: {
                /** @description Answer the bytes themselves, for hosts that reach nothing but the server. */
                through_server?: boolean;
            };
            header?: never;
            path: {
                sha256: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": string;
                };
            };
            /** @description A part of the file. */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": string;
                };
            };
            /** @description The file is elsewhere. */
            307: {
                headers: {
                    /** @description Where the file is, for an hour. */
                    Location?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: Not found. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid`: The request breaks a rule. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    check_ins_check_in: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CheckInRequest"];
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CheckInResponse"];
                };
            };
            /** @description `malformed`: The request cannot be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_large`: Too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid`: The request breaks a rule. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: Temporarily unavailable. */
            503: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    enrollment_enroll: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EnrollRequest"];
            };
        };
        responses: {
            /** @description Created. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EnrollResponse"];
                };
            };
            /** @description `malformed`: The request cannot be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_large`: Too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid`: The request breaks a rule. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: Temporarily unavailable. */
            503: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    commands_tell: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EventsRequest"];
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventsResponse"];
                };
            };
            /** @description `malformed`: The request cannot be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: Not found. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_large`: Too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid`: The request breaks a rule. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: Temporarily unavailable. */
            503: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    releases_manifest: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                version: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Envelope"];
                };
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: Not found. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    check_ins_start: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SessionRequest"];
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionResponse"];
                };
            };
            /** @description `malformed`: The request cannot be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_large`: Too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid`: The request breaks a rule. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: Temporarily unavailable. */
            503: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    check_ins_end: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SessionEnd"];
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionResponse"];
                };
            };
            /** @description `malformed`: The request cannot be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_large`: Too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid`: The request breaks a rule. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: Temporarily unavailable. */
            503: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    api_keys_list: {
        parameters: {
            query?: {
                /** @description How many entries to return at most: 1 to 200. Absent: 50. */
                limit?: number;
                /** @description The `next_cursor` of the page before. Absent: the first page. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiKeyViewPage"];
                };
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: Not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid`: The request breaks a rule. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: Temporarily unavailable. */
            503: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    api_keys_create: {
        parameters: {
            query?: never;
            header?: {
                /** @description A text of the caller's own, 1 to 255 visible ASCII characters. A request that is sent again with the same key is done only once. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ApiKeyRequest"];
            };
        };
        responses: {
            /** @description Created. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiKeyCreated"];
                };
            };
            /** @description `malformed`: The request cannot be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: Not allowed. `csrf_refused`: Not sent by the console. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_large`: Too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid`: The request breaks a rule. `idempotency_key_reused`: The idempotency key belongs to another request. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: Temporarily unavailable. */
            503: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    api_keys_delete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. There is nothing else to say. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: Not allowed. `csrf_refused`: Not sent by the console. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: Not found. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    audit_list: {
        parameters: {
            query?: {
                /** @description What the entry is about: an id, a version, or the name of a user, an API key or a host. */
                subject?: string;
                /** @description Who did it: an actor, the id in it, or a name. */
                actor?: string;
                /** @description What was done: `job.created`, or `job` for all that is done to jobs. */
                action?: string;
                /** @description Entries from this time on (RFC 3339). */
                since?: string;
                /** @description Entries before this time (RFC 3339). */
                until?: string;
                /** @description Only entries that somebody should look at. */
                alert?: boolean;
                /** @description How many entries to return at most: 1 to 200. Absent: 50. */
                limit?: number;
                /** @description The `next_cursor` of the page before. Absent: the first page. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    /** @description Of JSON lines: the cursor of the next page. Absent: there is none. */
                    "muster-audit-next"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditEntryPage"];
                };
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: Not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid`: The request breaks a rule. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: Temporarily unavailable. */
            503: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    enrollment_list: {
        parameters: {
            query?: {
                /** @description How many entries to return at most: 1 to 200. Absent: 50. */
                limit?: number;
                /** @description The `next_cursor` of the page before. Absent: the first page. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EnrollmentTokenViewPage"];
                };
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: Not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid`: The request breaks a rule. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: Temporarily unavailable. */
            503: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    enrollment_create: {
        parameters: {
            query?: never;
            header?: {
                /** @description A text of the caller's own, 1 to 255 visible ASCII characters. A request that is sent again with the same key is done only once. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["EnrollmentTokenRequest"];
            };
        };
        responses: {
            /** @description Created. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EnrollmentTokenCreated"];
                };
            };
            /** @description `malformed`: The request cannot be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: Not allowed. `csrf_refused`: Not sent by the console. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_large`: Too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid`: The request breaks a rule. `idempotency_key_reused`: The idempotency key belongs to another request. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: Temporarily unavailable. */
            503: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    enrollment_revoke: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. There is nothing else to say. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: Not allowed. `csrf_refused`: Not sent by the console. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: Not found. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    fleet_updates_list: {
        parameters: {
            query?: {
                /** @description How many entries to return at most: 1 to 200. Absent: 50. */
                limit?: number;
                /** @description The `next_cursor` of the page before. Absent: the first page. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FleetUpdateViewPage"];
                };
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: Not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid`: The request breaks a rule. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: Temporarily unavailable. */
            503: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    fleet_updates_create: {
        parameters: {
            query?: {
                /** @description Answer the plan with status 200, and start nothing. */
                dry_run?: boolean;
            };
            header?: {
                /** @description A text of the caller's own, 1 to 255 visible ASCII characters. A request that is sent again with the same key is done only once. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["FleetUpdateRequest"];
            };
        };
        responses: {
            /** @description The plan. Nothing was done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FleetUpdatePlan"];
                };
            };
            /** @description Created. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FleetUpdateView"];
                };
            };
            /** @description `malformed`: The request cannot be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: Not allowed. `csrf_refused`: Not sent by the console. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_large`: Too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid`: The request breaks a rule. `idempotency_key_reused`: The idempotency key belongs to another request. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: Temporarily unavailable. */
            503: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    fleet_updates_get: {
        parameters: {
            query?: {
                /** @description How long to wait for an answer other than the one that If-None-Match names: 0 to 60 seconds. */
                wait?: number;
                /** @description Wait for a revision after this one. Absent: for the next change from now on. */
                revision?: number;
            };
            header?: {
                /** @description The ETag of the answer that the caller has. If it still holds, the status is 304. */
                "If-None-Match"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    /** @description Names this answer; for If-None-Match and If-Match. */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FleetUpdateView"];
                };
            };
            /** @description The answer that the caller has still holds. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: Not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: Not found. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid`: The request breaks a rule. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: Temporarily unavailable. */
            503: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    fleet_updates_cancel: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["FleetUpdateAction"];
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FleetUpdateView"];
                };
            };
            /** @description `malformed`: The request cannot be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: Not allowed. `csrf_refused`: Not sent by the console. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: Not found. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_large`: Too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid`: The request breaks a rule. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: Temporarily unavailable. */
            503: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    fleet_updates_hosts: {
        parameters: {
            query?: {
                /** @description How many entries to return at most: 1 to 1000. Absent: 50. */
                limit?: number;
                /** @description The `next_cursor` of the page before. Absent: the first page. */
                cursor?: string;
                /** @description How long to wait for an answer other than the one that If-None-Match names: 0 to 60 seconds. */
                wait?: number;
            };
            header?: {
                /** @description The ETag of the answer that the caller has. If it still holds, the status is 304. */
                "If-None-Match"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    /** @description Names this answer; for If-None-Match and If-Match. */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FleetUpdateHostViewPage"];
                };
            };
            /** @description The answer that the caller has still holds. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: Not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: Not found. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid`: The request breaks a rule. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: Temporarily unavailable. */
            503: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    fleet_updates_pause: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["FleetUpdateAction"];
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FleetUpdateView"];
                };
            };
            /** @description `malformed`: The request cannot be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: Not allowed. `csrf_refused`: Not sent by the console. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: Not found. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_large`: Too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid`: The request breaks a rule. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: Temporarily unavailable. */
            503: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    fleet_updates_resume: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["FleetUpdateAction"];
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FleetUpdateView"];
                };
            };
            /** @description `malformed`: The request cannot be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: Not allowed. `csrf_refused`: Not sent by the console. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: Not found. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_large`: Too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid`: The request breaks a rule. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: Temporarily unavailable. */
            503: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    fleet_updates_retry_failed: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["FleetUpdateAction"];
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FleetUpdateView"];
                };
            };
            /** @description `malformed`: The request cannot be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: Not allowed. `csrf_refused`: Not sent by the console. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: Not found. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_large`: Too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid`: The request breaks a rule. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: Temporarily unavailable. */
            503: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    fleet_updates_write_off: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["FleetUpdateAction"];
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FleetUpdateView"];
                };
            };
            /** @description `malformed`: The request cannot be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: Not allowed. `csrf_refused`: Not sent by the console. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: Not found. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_large`: Too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid`: The request breaks a rule. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: Temporarily unavailable. */
            503: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    health_get: {
        parameters: {
            query?: {
                /** @description Whether to read from the store and write to it, too. */
                deep?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            /** @description `invalid`: The request breaks a rule. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    hosts_list: {
        parameters: {
            query?: {
                /** @description A label as `key=value`. May be given several times; all of them must match. */
                label?: string[];
                /** @description The operating system. */
                os?: string;
                /** @description The version of the agent. */
                version?: string;
                /** @description `behind`: only hosts that a newer published release exists for. */
                updates?: string;
                /** @description Whether the host was heard from lately. */
                online?: boolean;
                /** @description The state of the host. Absent: every state but `retired`. */
                state?: components["schemas"]["HostState"];
                /** @description How many entries to return at most: 1 to 1000. Absent: 50. */
                limit?: number;
                /** @description The `next_cursor` of the page before. Absent: the first page. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HostViewPage"];
                };
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: Not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid`: The request breaks a rule. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: Temporarily unavailable. */
            503: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    hosts_get: {
        parameters: {
            query?: {
                /** @description How long to wait for an answer other than the one that If-None-Match names: 0 to 60 seconds. */
                wait?: number;
            };
            header?: {
                /** @description The ETag of the answer that the caller has. If it still holds, the status is 304. */
                "If-None-Match"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    /** @description Names this answer; for If-None-Match and If-Match. */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HostView"];
                };
            };
            /** @description The answer that the caller has still holds. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: Not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: Not found. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid`: The request breaks a rule. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: Temporarily unavailable. */
            503: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    hosts_retire: {
        parameters: {
            query?: {
                /** @description Give up its open jobs. */
                force?: boolean;
                /** @description Why, for people. */
                reason?: string;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. There is nothing else to say. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: Not allowed. `csrf_refused`: Not sent by the console. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: Not found. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid`: The request breaks a rule. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    hosts_change: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the answer that the caller has. The change is refused if there is a newer revision. */
                "If-Match"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["HostChange"];
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HostView"];
                };
            };
            /** @description `malformed`: The request cannot be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: Not allowed. `csrf_refused`: Not sent by the console. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: Not found. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `revision_mismatch`: Changed in the meantime. */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_large`: Too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid`: The request breaks a rule. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: Temporarily unavailable. */
            503: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    hosts_readmit: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Reason"];
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HostView"];
                };
            };
            /** @description `malformed`: The request cannot be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: Not allowed. `csrf_refused`: Not sent by the console. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: Not found. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_large`: Too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid`: The request breaks a rule. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: Temporarily unavailable. */
            503: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    hosts_update: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["HostUpdateRequest"];
            };
        };
        responses: {
            /** @description Accepted: it goes on after the answer. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description `malformed`: The request cannot be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: Not allowed. `csrf_refused`: Not sent by the console. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: Not found. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_large`: Too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid`: The request breaks a rule. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: Temporarily unavailable. */
            503: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    install_script: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/x-shellscript": string;
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    install_agent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                platform: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": string;
                };
            };
            /** @description A part of the file. */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": string;
                };
            };
            /** @description The file is elsewhere. */
            307: {
                headers: {
                    /** @description Where the file is, for an hour. */
                    Location?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `unauthorized`: No valid credential. `enrollment_token_invalid`: The enrollment token is not valid. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: Not found. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    jobs_list: {
        parameters: {
            query?: {
                /** @description The host that the job is for. */
                host?: components["schemas"]["HostId"];
                /** @description The state of the job. */
                state?: components["schemas"]["JobState"];
                /** @description The kind of the job. */
                kind?: string;
                /** @description How many entries to return at most: 1 to 200. Absent: 50. */
                limit?: number;
                /** @description The `next_cursor` of the page before. Absent: the first page. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobViewPage"];
                };
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: Not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid`: The request breaks a rule. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: Temporarily unavailable. */
            503: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    jobs_create: {
        parameters: {
            query?: never;
            header?: {
                /** @description A text of the caller's own, 1 to 255 visible ASCII characters. A request that is sent again with the same key is done only once. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["JobRequest"];
            };
        };
        responses: {
            /** @description Accepted: it goes on after the answer. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobsCreated"];
                };
            };
            /** @description `malformed`: The request cannot be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: Not allowed. `csrf_refused`: Not sent by the console. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_large`: Too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid`: The request breaks a rule. `idempotency_key_reused`: The idempotency key belongs to another request. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: Temporarily unavailable. */
            503: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    jobs_get: {
        parameters: {
            query?: {
                /** @description How long to wait for an answer other than the one that If-None-Match names: 0 to 60 seconds. */
                wait?: number;
                /** @description Wait for a revision after this one. Absent: for the next change from now on. */
                revision?: number;
            };
            header?: {
                /** @description The ETag of the answer that the caller has. If it still holds, the status is 304. */
                "If-None-Match"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    /** @description Names this answer; for If-None-Match and If-Match. */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description The answer that the caller has still holds. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: Not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: Not found. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid`: The request breaks a rule. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: Temporarily unavailable. */
            503: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    jobs_cancel: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: Not allowed. `csrf_refused`: Not sent by the console. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: Not found. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    jobs_give_up: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: Not allowed. `csrf_refused`: Not sent by the console. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: Not found. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    jobs_log: {
        parameters: {
            query?: {
                /** @description The byte to start at. Absent: 0. */
                after?: number;
                /** @description How long to wait for more of the log: 0 to 60 seconds. */
                wait?: number;
                /** @description Whether each line begins with the time at which it was printed, by the host's clock, and a space; `-` where nobody has told. `after` counts no times. */
                timestamps?: boolean;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    /** @description `true` if this is the end of the log, else `false`. */
                    "muster-log-complete"?: string;
                    /** @description `erased` or `expired` if the log is not kept any more. */
                    "muster-log-gone"?: string;
                    /** @description The byte that the rest of the log starts at: the next `after`. */
                    "muster-log-next"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: Not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: Not found. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid`: The request breaks a rule. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    jobs_erase_log: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Reason"];
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description `malformed`: The request cannot be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: Not allowed. `csrf_refused`: Not sent by the console. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: Not found. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_large`: Too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid`: The request breaks a rule. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: Temporarily unavailable. */
            503: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    openapi_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, unknown>;
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    overview_get: {
        parameters: {
            query?: {
                /** @description How long to wait for an answer other than the one that If-None-Match names: 0 to 60 seconds. */
                wait?: number;
            };
            header?: {
                /** @description The ETag of the answer that the caller has. If it still holds, the status is 304. */
                "If-None-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    /** @description Names this answer; for If-None-Match and If-Match. */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Overview"];
                };
            };
            /** @description The answer that the caller has still holds. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: Not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid`: The request breaks a rule. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: Temporarily unavailable. */
            503: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    releases_list: {
        parameters: {
            query?: {
                /** @description How many entries to return at most: 1 to 200. Absent: 50. */
                limit?: number;
                /** @description The `next_cursor` of the page before. Absent: the first page. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReleaseViewPage"];
                };
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: Not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid`: The request breaks a rule. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: Temporarily unavailable. */
            503: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    releases_create: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Envelope"];
            };
        };
        responses: {
            /** @description Created. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReleaseView"];
                };
            };
            /** @description `malformed`: The request cannot be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: Not allowed. `csrf_refused`: Not sent by the console. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_large`: Too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid`: The request breaks a rule. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: Temporarily unavailable. */
            503: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    releases_get: {
        parameters: {
            query?: {
                /** @description How long to wait for an answer other than the one that If-None-Match names: 0 to 60 seconds. */
                wait?: number;
            };
            header?: {
                /** @description The ETag of the answer that the caller has. If it still holds, the status is 304. */
                "If-None-Match"?: string;
            };
            path: {
                version: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    /** @description Names this answer; for If-None-Match and If-Match. */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReleaseView"];
                };
            };
            /** @description The answer that the caller has still holds. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: Not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: Not found. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid`: The request breaks a rule. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: Temporarily unavailable. */
            503: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    releases_envelope: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                version: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Envelope"];
                };
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: Not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: Not found. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    releases_upload: {
        parameters: {
            query?: {
                /** @description The file was put into the object store already, and there is no body. */
                uploaded?: boolean;
            };
            header?: never;
            path: {
                version: string;
                platform: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/octet-stream": string;
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReleaseView"];
                };
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: Not allowed. `csrf_refused`: Not sent by the console. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: Not found. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid`: The request breaks a rule. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    releases_upload_place: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                version: string;
                platform: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UploadPlace"];
                };
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: Not allowed. `csrf_refused`: Not sent by the console. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: Not found. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    releases_yank: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                version: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["YankRequest"];
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReleaseView"];
                };
            };
            /** @description `malformed`: The request cannot be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: Not allowed. `csrf_refused`: Not sent by the console. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: Not found. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_large`: Too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid`: The request breaks a rule. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: Temporarily unavailable. */
            503: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    session_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionView"];
                };
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: Not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    session_create: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LoginRequest"];
            };
        };
        responses: {
            /** @description Created. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionView"];
                };
            };
            /** @description `malformed`: The request cannot be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_large`: Too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid`: The request breaks a rule. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: Temporarily unavailable. */
            503: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    session_delete: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. There is nothing else to say. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: Not allowed. `csrf_refused`: Not sent by the console. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    storage_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StorageView"];
                };
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: Not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    tick_create: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TickReport"];
                };
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: Not allowed. `csrf_refused`: Not sent by the console. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    trust_root_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Envelope"];
                };
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: Not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    trust_root_replace: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Envelope"];
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Envelope"];
                };
            };
            /** @description `malformed`: The request cannot be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: Not allowed. `csrf_refused`: Not sent by the console. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_large`: Too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid`: The request breaks a rule. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: Temporarily unavailable. */
            503: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    users_list: {
        parameters: {
            query?: {
                /** @description How many entries to return at most: 1 to 200. Absent: 50. */
                limit?: number;
                /** @description The `next_cursor` of the page before. Absent: the first page. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserViewPage"];
                };
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: Not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid`: The request breaks a rule. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: Temporarily unavailable. */
            503: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    users_create: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UserRequest"];
            };
        };
        responses: {
            /** @description Created. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserView"];
                };
            };
            /** @description `malformed`: The request cannot be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: Not allowed. `csrf_refused`: Not sent by the console. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_large`: Too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid`: The request breaks a rule. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: Temporarily unavailable. */
            503: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    users_delete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. There is nothing else to say. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: Not allowed. `csrf_refused`: Not sent by the console. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: Not found. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    users_change: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the answer that the caller has. The change is refused if there is a newer revision. */
                "If-Match"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["UserChange"];
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserView"];
                };
            };
            /** @description `malformed`: The request cannot be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: No valid credential. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: Not allowed. `csrf_refused`: Not sent by the console. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: Not found. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `revision_mismatch`: Changed in the meantime. */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_large`: Too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid`: The request breaks a rule. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_requests`: Too many requests. */
            429: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: Temporarily unavailable. */
            503: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    health_version: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Version"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    health_healthz: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            /** @description `unavailable`: Temporarily unavailable. */
            503: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    health_live: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    tokens_create: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/x-www-form-urlencoded": components["schemas"]["TokenRequest"];
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenResponse"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    health_ready: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            /** @description `unavailable`: Temporarily unavailable. */
            503: {
                headers: {
                    /** @description After how many seconds to ask again. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other problem: its `code` says which. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
