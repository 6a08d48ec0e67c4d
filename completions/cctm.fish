# fish completion for cctm, made by 'cctm completion fish'.

# The words typed so far that are neither options nor their values.
function __cctm_words
	set -l skip 0
	for word in (commandline -opc)[2..]
		if test $skip = 1
			set skip 0
		else if contains -- $word -C --dir --color --runtime --profile --set --templates --adopt --timeout --pull --timeout --check --group --explain --report --protocol --timeout --since -n --tail --grep --folder --datasource --uid --grafana-url --user --password-file --token-file --ca --org -o --output -o --output --include --exclude --compression --keep-last --keep-daily --keep-weekly --keep-monthly --at --to --only --timeout --pull --shell --protocol --interval --host --team --department --cost-center --attribute --pid --scope --stdout --templates --since --until --by --tz --state --for --comment -t --timeout --state --bind --otlp-http-port --otlp-grpc-port --exporter-port --health-port --zpages-port --durability --series-max --streams-max --max-body --zero-hold --retention --cors-origins
			set skip 1
		else if not string match -q -- '-*' $word
			echo $word
		end
	end
end

# Is the command the first word, and is this its argument (from 0)?
function __cctm_at
	set -l words (__cctm_words)
	set -l position (math (count $words) - 1)
	test "$words[1]" = $argv[1]; or return
	test (count $argv) -lt 2; and return
	test $position -eq $argv[2]; and return
	test "$argv[3]" = more -a $position -gt $argv[2]
end

function __cctm_without_command
	test (count (__cctm_words)) -eq 0
end

complete -c cctm -f
complete -c cctm -l dir -s C -x -a '(__fish_complete_directories)' -d 'the stack\'s directory (environment: CCTM_DIR)'
complete -c cctm -l json -d 'print exactly one JSON document on standard output'
complete -c cctm -l quiet -s q -d 'print no progress and no notes'
complete -c cctm -l verbose -s v -d 'say more about what is done'
complete -c cctm -l color -x -a 'auto always never' -d 'use colours; auto means on a terminal without NO_COLOR'
complete -c cctm -l help -s h -d 'explain the command and stop'
complete -c cctm -l version -d 'print the version and stop'

complete -c cctm -n __cctm_without_command -a init -d 'write a stack\'s files, or bring them up to date'
complete -c cctm -n '__cctm_at init' -l runtime -x -a 'docker embedded auto' -d 'where the stack runs: in containers, or the bridge alone as a process; auto takes Docker where it answers'
complete -c cctm -n '__cctm_at init' -l profile -x -a 'local team' -d 'for one person or for a team; other defaults follow from it'
complete -c cctm -n '__cctm_at init' -l set -x -d 'set a key of cctm.yaml; may be repeated'
complete -c cctm -n '__cctm_at init' -l templates -x -a '(__fish_complete_directories)' -d 'take templates from there first; the stack\'s own templates/ comes next'
complete -c cctm -n '__cctm_at init' -l auto-ports -d 'take the next free port where one is in use'
complete -c cctm -n '__cctm_at init' -l dry-run -s n -d 'say what would be done and write nothing'
complete -c cctm -n '__cctm_at init' -l force -d 'put new texts in place of edited ones, which are kept as FILE.bak'
complete -c cctm -n '__cctm_at init' -l adopt -x -a '(__fish_complete_directories)' -d 'take over a stack that was made by hand: its ports, images, password and data'
complete -c cctm -n '__cctm_at init' -l yes -s y -d 'answer yes to what would be asked'
complete -c cctm -n '__cctm_at init 0' -x -a '(__fish_complete_directories)' -d 'the stack\'s directory, made when it is not there (default as with -C)'

complete -c cctm -n __cctm_without_command -a up -d 'start the stack and wait until every part works'
complete -c cctm -n '__cctm_at up' -l wait -d 'wait until every part works'
complete -c cctm -n '__cctm_at up' -l no-wait -d 'turn --wait off'
complete -c cctm -n '__cctm_at up' -l timeout -x -d 'how long to wait for all parts; images are pulled before'
complete -c cctm -n '__cctm_at up' -l pull -x -a 'missing always never' -d 'whether images are pulled'
complete -c cctm -n '__cctm_at up' -l build-only -d 'make and pull the images, and start nothing'
complete -c cctm -n '__cctm_at up' -l systemd -d 'have your systemd run the bridge, also after a crash and the next login'
complete -c cctm -n '__cctm_at up' -l env -d 'then write Claude Code\'s settings too, as \'cctm env --apply\' does'
complete -c cctm -n '__cctm_at up' -l keep-on-failure -d 'leave what was started when a part does not get healthy'

complete -c cctm -n __cctm_without_command -a down -d 'stop the stack'
complete -c cctm -n '__cctm_at down' -l volumes -d 'delete the named volumes too, with everything that was measured; asks first'
complete -c cctm -n '__cctm_at down' -l yes -s y -d 'answer yes to what would be asked'

complete -c cctm -n __cctm_without_command -a restart -d 'restart all parts of the stack or some'
complete -c cctm -n '__cctm_at restart' -l timeout -x -d 'how long to wait until all parts answer'
complete -c cctm -n '__cctm_at restart 0 more' -x -d 'otel-collector, prometheus, grafana, ...; all when absent'

complete -c cctm -n __cctm_without_command -a status -d 'show which parts of the stack run and answer'
complete -c cctm -n '__cctm_at status' -l watch -s w -d 'show it again and again, until Ctrl-C'
complete -c cctm -n '__cctm_at status' -l usage -d 'show what each part takes of CPU and memory; of containers that needs two seconds'
complete -c cctm -n '__cctm_at status' -l no-usage -d 'turn --usage off'

complete -c cctm -n __cctm_without_command -a doctor -d 'find what is wrong and say how to mend it'
complete -c cctm -n '__cctm_at doctor' -l check -x -d 'this check alone'
complete -c cctm -n '__cctm_at doctor' -l group -x -a 'machine configuration claude-code receiver prometheus grafana totals' -d 'the checks of one part of a sample\'s way'
complete -c cctm -n '__cctm_at doctor' -l list -d 'list the checks and do none'
complete -c cctm -n '__cctm_at doctor' -l explain -x -d 'say what a check looks at, why, and how to mend it by hand'
complete -c cctm -n '__cctm_at doctor' -l watch -d 'look again every five seconds, until interrupted'
complete -c cctm -n '__cctm_at doctor' -l prompt -d 'print what was found as a text for a coding agent'
complete -c cctm -n '__cctm_at doctor' -l fix -d 'do what loses nothing, after it was shown and asked for, and look again'
complete -c cctm -n '__cctm_at doctor' -l yes -s y -d 'answer yes to what --fix asks'
complete -c cctm -n '__cctm_at doctor' -l report -r -F -d 'write an archive (.tar.gz) for a report of a fault; secrets are replaced'

complete -c cctm -n __cctm_without_command -a probe -d 'send a marked sample through the stack and time each hop'
complete -c cctm -n '__cctm_at probe' -l protocol -x -a 'http/protobuf http/json grpc events' -d 'one way only; all that the stack offers when absent'
complete -c cctm -n '__cctm_at probe' -l timeout -x -d 'how long the sample may be on its way'

complete -c cctm -n __cctm_without_command -a logs -d 'show what the parts of the stack log'
complete -c cctm -n '__cctm_at logs' -l follow -s f -d 'go on with what comes'
complete -c cctm -n '__cctm_at logs' -l since -x -d 'of containers: 10m, 2h, 2026-11-01T10:00:00'
complete -c cctm -n '__cctm_at logs' -l tail -s n -x -d 'so many lines of each'
complete -c cctm -n '__cctm_at logs' -l grep -x -d 'show only lines that match'
complete -c cctm -n '__cctm_at logs' -l errors -d 'show only errors and warnings'
complete -c cctm -n '__cctm_at logs 0 more' -x -d 'otel-collector, prometheus, grafana, ...; all when absent'

complete -c cctm -n __cctm_without_command -a open -d 'open a page of the stack in the browser'
complete -c cctm -n '__cctm_at open' -l print -d 'print the address and open nothing'
complete -c cctm -n '__cctm_at open 0' -x -a 'grafana prometheus status' -d 'grafana, prometheus, or status, the receiver\'s page about itself (default: grafana, and status of an embedded stack)'

complete -c cctm -n __cctm_without_command -a import-dashboard -d 'put dashboards into Grafana'
complete -c cctm -n '__cctm_at import-dashboard' -l all -d 'all that cctm brings'
complete -c cctm -n '__cctm_at import-dashboard' -l folder -x -d 'into that folder, by title or uid, made when it is not there (default: Claude Code)'
complete -c cctm -n '__cctm_at import-dashboard' -l datasource -x -d 'the datasource for what the file leaves open, by uid or name'
complete -c cctm -n '__cctm_at import-dashboard' -l uid -x -d 'under this uid instead of its own'
complete -c cctm -n '__cctm_at import-dashboard' -l overwrite -d 'put it in the place of another version, which stays in Grafana\'s history'
complete -c cctm -n '__cctm_at import-dashboard' -l dry-run -s n -d 'say what would be done and change nothing'
complete -c cctm -n '__cctm_at import-dashboard' -l diff -d 'show what changes in Grafana, line by line; with --dry-run what would'
complete -c cctm -n '__cctm_at import-dashboard' -l grafana-url -x -d 'another Grafana than the stack\'s; with --user or --token-file'
complete -c cctm -n '__cctm_at import-dashboard' -l user -x -d 'its user; with --password-file'
complete -c cctm -n '__cctm_at import-dashboard' -l password-file -r -F -d 'a file with that user\'s password and nothing else'
complete -c cctm -n '__cctm_at import-dashboard' -l token-file -r -F -d 'a file with the token of a service account and nothing else'
complete -c cctm -n '__cctm_at import-dashboard' -l ca -r -F -d 'the certificates by which its own is checked, instead of the system\'s'
complete -c cctm -n '__cctm_at import-dashboard' -l org -x -d 'into this organization instead of the login\'s own'
complete -c cctm -n '__cctm_at import-dashboard 0 more' -x -d 'the name of a bundled dashboard, a file, a directory of files, - for standard input, or what is on the web: an https:// address, the page of a gist, of a file on GitHub or of grafana.com, or a number there'

complete -c cctm -n __cctm_without_command -a dashboards -d 'list dashboards, export, compare or delete one, or find what is wrong with one'
complete -c cctm -n '__cctm_at dashboards' -l output -s o -r -F -d 'export: write it there instead of printing it'
complete -c cctm -n '__cctm_at dashboards' -l yes -s y -d 'delete: do not ask'
complete -c cctm -n '__cctm_at dashboards' -l strict -d 'lint: also what the bundled ones keep: descriptions, units, no holes'
complete -c cctm -n '__cctm_at dashboards 0' -x -a 'list export diff delete lint' -d 'list: the bundled ones and what Grafana has of them, and the others there (this is the default); export: one, from Grafana by uid or from cctm by name; diff: what was edited in one of cctm\'s; delete: one in Grafana; lint: files'
complete -c cctm -n '__cctm_at dashboards 1 more' -x -d 'the name of a bundled dashboard, a uid, or a file'

complete -c cctm -n __cctm_without_command -a password -d 'show or rotate a secret of the stack'
complete -c cctm -n '__cctm_at password' -l rotate -d 'put a new one, made at random, in its place'
complete -c cctm -n '__cctm_at password 0' -x -a 'grafana otlp' -d 'grafana: of its administrator (this is the default); otlp: the token that clients send'

complete -c cctm -n __cctm_without_command -a backup -d 'save the stack into one archive'
complete -c cctm -n '__cctm_at backup' -l output -s o -r -F -d 'create: the archive\'s name, \'-\' for standard output (default: a new one in backups/)'
complete -c cctm -n '__cctm_at backup' -l include -x -d 'create: this part only; may be repeated'
complete -c cctm -n '__cctm_at backup' -l exclude -x -d 'create: without this part; may be repeated'
complete -c cctm -n '__cctm_at backup' -l secrets -d 'create, schedule: save .env and other files with secrets'
complete -c cctm -n '__cctm_at backup' -l no-secrets -d 'turn --secrets off'
complete -c cctm -n '__cctm_at backup' -l compression -x -a 'zstd gzip' -d 'create: how it is compressed'
complete -c cctm -n '__cctm_at backup' -l keep-last -x -d 'create, prune, schedule: keep the newest N'
complete -c cctm -n '__cctm_at backup' -l keep-daily -x -d 'the same: keep the newest of each of the last N days that have one'
complete -c cctm -n '__cctm_at backup' -l keep-weekly -x -d 'create, prune: the same of weeks'
complete -c cctm -n '__cctm_at backup' -l keep-monthly -x -d 'create, prune: the same of months'
complete -c cctm -n '__cctm_at backup' -l daily -d 'schedule: once a day at 03:00 (this is the default)'
complete -c cctm -n '__cctm_at backup' -l at -x -d 'schedule: once a day at this time'
complete -c cctm -n '__cctm_at backup' -l remove -d 'schedule: make none by itself any more'
complete -c cctm -n '__cctm_at backup' -l dry-run -s n -d 'create, prune: say what would be done, and do nothing'
complete -c cctm -n '__cctm_at backup 0' -x -a 'create list verify prune schedule' -d 'create: write an archive (this is the default); list: those in backups/; verify: read one whole and check it; prune: delete old ones; schedule: make one every day'
complete -c cctm -n '__cctm_at backup 1' -r -F -d 'the archive, for verify'

complete -c cctm -n __cctm_without_command -a restore -d 'bring a stack back from an archive'
complete -c cctm -n '__cctm_at restore' -l to -x -a '(__fish_complete_directories)' -d 'where: a stack\'s directory, an empty one, or one to be made (default: the stack\'s)'
complete -c cctm -n '__cctm_at restore' -l only -x -d 'this part only; may be repeated: configuration, secrets, ledger'
complete -c cctm -n '__cctm_at restore' -l dry-run -s n -d 'check the archive, say what would change, and change nothing'
complete -c cctm -n '__cctm_at restore' -l yes -s y -d 'answer yes to what would be asked'
complete -c cctm -n '__cctm_at restore' -l safety-backup -d 'save what is there first, into backups/'
complete -c cctm -n '__cctm_at restore' -l no-safety-backup -d 'turn --safety-backup off'
complete -c cctm -n '__cctm_at restore' -l start -d 'start the stack afterwards, if it ran before or is new, and verify it'
complete -c cctm -n '__cctm_at restore' -l no-start -d 'turn --start off'
complete -c cctm -n '__cctm_at restore 0' -r -F -d 'the archive, \'-\' for standard input'

complete -c cctm -n __cctm_without_command -a upgrade -d 'move the stack to the versions this cctm knows'
complete -c cctm -n '__cctm_at upgrade' -l check -d 'say what there is to move to, and exit with 3 when there is something'
complete -c cctm -n '__cctm_at upgrade' -l dry-run -s n -d 'say what would be done, files included, and do nothing'
complete -c cctm -n '__cctm_at upgrade' -l timeout -x -d 'how long to wait for each part'
complete -c cctm -n '__cctm_at upgrade' -l pull -x -a 'missing always never' -d 'whether images are pulled'
complete -c cctm -n '__cctm_at upgrade' -l backup -d 'save an embedded stack first, into backups/'
complete -c cctm -n '__cctm_at upgrade' -l no-backup -d 'turn --backup off'

complete -c cctm -n __cctm_without_command -a env -d 'connect Claude Code with the stack'
complete -c cctm -n '__cctm_at env' -l shell -x -a 'bash zsh fish powershell dotenv' -d 'the language to print in (default: that of $SHELL)'
complete -c cctm -n '__cctm_at env' -l protocol -x -a 'http/protobuf http/json grpc' -d 'how to send; over gRPC nothing is tried again'
complete -c cctm -n '__cctm_at env' -l interval -x -d 'how often metrics are sent'
complete -c cctm -n '__cctm_at env' -l host -x -d 'the stack\'s name or address as Claude Code sees it, where that runs elsewhere'
complete -c cctm -n '__cctm_at env' -l team -x -d 'the label team_id'
complete -c cctm -n '__cctm_at env' -l department -x -d 'the label department'
complete -c cctm -n '__cctm_at env' -l cost-center -x -d 'the label cost_center'
complete -c cctm -n '__cctm_at env' -l attribute -x -d 'a label of your own; may be repeated'
complete -c cctm -n '__cctm_at env' -l prompts -d 'send prompts too, as they were typed'
complete -c cctm -n '__cctm_at env' -l tool-details -d 'send commands and parameters of tools too'
complete -c cctm -n '__cctm_at env' -l traces -d 'send traces too, which Claude Code calls a beta'
complete -c cctm -n '__cctm_at env' -l cumulative -d 'send sums since the start, which heal after an outage (this is the default)'
complete -c cctm -n '__cctm_at env' -l delta -d 'send what was counted since the last export, as Claude Code does by itself'
complete -c cctm -n '__cctm_at env' -l check -d 'compare what is in effect here and in running processes with what the stack needs'
complete -c cctm -n '__cctm_at env' -l pid -x -d 'check this process of Claude Code alone'
complete -c cctm -n '__cctm_at env' -l wait -d 'wait for the first data'
complete -c cctm -n '__cctm_at env' -l apply -d 'write it where Claude Code reads it, and keep all else that is there'
complete -c cctm -n '__cctm_at env' -l remove -d 'take out exactly what --apply has added'
complete -c cctm -n '__cctm_at env' -l scope -x -a 'user project local managed shell' -d 'where to: your settings.json, the project\'s (shared or local), that of all users of the machine, or your shell\'s start file'
complete -c cctm -n '__cctm_at env' -l managed -d 'the same as --scope managed: /etc/claude-code/managed-settings.json, which wins over all'
complete -c cctm -n '__cctm_at env' -l print -d 'print the settings as JSON instead, for a fleet\'s own tools'
complete -c cctm -n '__cctm_at env' -l force -d 'put the stack\'s values in the place of yours, which --remove gives back'
complete -c cctm -n '__cctm_at env' -l dry-run -s n -d 'say what would be written and write nothing'

complete -c cctm -n __cctm_without_command -a render -d 'show what init would write'
complete -c cctm -n '__cctm_at render' -l diff -d 'print what would change as a unified diff'
complete -c cctm -n '__cctm_at render' -l check -d 'exit with 3 when something would change'
complete -c cctm -n '__cctm_at render' -l stdout -r -F -d 'print the text that one file gets, without your edits'
complete -c cctm -n '__cctm_at render' -l templates -x -a '(__fish_complete_directories)' -d 'take templates from there first; the stack\'s own templates/ comes next'

complete -c cctm -n __cctm_without_command -a config -d 'show the settings and who set them, or change one'
complete -c cctm -n '__cctm_at config' -l dry-run -d 'with set and unset: show what would change, as a diff, and change nothing'
complete -c cctm -n '__cctm_at config 0' -x -a 'get set unset check sample version project runtime ingest profile bind time_zone ports.grafana ports.otlp_grpc ports.otlp_http ports.exporter ports.prometheus ports.health ports.zpages ports.loki ports.alertmanager ports.proxy images.collector images.prometheus images.grafana images.loki images.alertmanager images.proxy images.bridge storage data.prometheus data.grafana data.loki data.alertmanager data.proxy data.bridge otlp.auth otlp.cors_origins otlp.max_body otlp.token_file otlp.tls_cert_file otlp.tls_key_file otlp.tls_client_ca_file collector.batch_timeout collector.batch_size collector.debug collector.max_stale collector.expiration collector.export prometheus.retention_time prometheus.retention_size prometheus.scrape_interval prometheus.lookback prometheus.admin_api prometheus.query_timeout prometheus.query_concurrency prometheus.remote_write grafana.admin_user grafana.plugins grafana.root_url grafana.anonymous events.store budgets.daily_usd budgets.weekly_usd budgets.monthly_usd budgets.per_user.daily_usd budgets.per_user.weekly_usd budgets.per_user.monthly_usd budgets.per_team.daily_usd budgets.per_team.weekly_usd budgets.per_team.monthly_usd budgets.per_model.daily_usd budgets.per_model.weekly_usd budgets.per_model.monthly_usd alerts.alertmanager alerts.no_data_after alerts.webhook_url_file alerts.slack_url_file alerts.command alerts.email_to alerts.email_from alerts.smtp_host limits.collector.cpus limits.collector.memory limits.bridge.cpus limits.bridge.memory limits.prometheus.cpus limits.prometheus.memory limits.grafana.cpus limits.grafana.memory limits.loki.cpus limits.loki.memory limits.alertmanager.cpus limits.alertmanager.memory limits.proxy.cpus limits.proxy.memory proxy.host proxy.bind proxy.tls_cert_file proxy.tls_key_file labels.keep labels.drop labels.hash labels.promote labels.rename labels.map bridge.session_label bridge.series_max bridge.streams_max bridge.stream_ttl bridge.durability bridge.journal_max bridge.retention bridge.zero_hold bridge.dedupe_window forward.remote_write forward.otlp forward.loki forward.queue_max' -d 'get, set, unset, check or sample; or a key or group to show; all keys when absent'
complete -c cctm -n '__cctm_at config 1' -x -a 'version project runtime ingest profile bind time_zone ports.grafana ports.otlp_grpc ports.otlp_http ports.exporter ports.prometheus ports.health ports.zpages ports.loki ports.alertmanager ports.proxy images.collector images.prometheus images.grafana images.loki images.alertmanager images.proxy images.bridge storage data.prometheus data.grafana data.loki data.alertmanager data.proxy data.bridge otlp.auth otlp.cors_origins otlp.max_body otlp.token_file otlp.tls_cert_file otlp.tls_key_file otlp.tls_client_ca_file collector.batch_timeout collector.batch_size collector.debug collector.max_stale collector.expiration collector.export prometheus.retention_time prometheus.retention_size prometheus.scrape_interval prometheus.lookback prometheus.admin_api prometheus.query_timeout prometheus.query_concurrency prometheus.remote_write grafana.admin_user grafana.plugins grafana.root_url grafana.anonymous events.store budgets.daily_usd budgets.weekly_usd budgets.monthly_usd budgets.per_user.daily_usd budgets.per_user.weekly_usd budgets.per_user.monthly_usd budgets.per_team.daily_usd budgets.per_team.weekly_usd budgets.per_team.monthly_usd budgets.per_model.daily_usd budgets.per_model.weekly_usd budgets.per_model.monthly_usd alerts.alertmanager alerts.no_data_after alerts.webhook_url_file alerts.slack_url_file alerts.command alerts.email_to alerts.email_from alerts.smtp_host limits.collector.cpus limits.collector.memory limits.bridge.cpus limits.bridge.memory limits.prometheus.cpus limits.prometheus.memory limits.grafana.cpus limits.grafana.memory limits.loki.cpus limits.loki.memory limits.alertmanager.cpus limits.alertmanager.memory limits.proxy.cpus limits.proxy.memory proxy.host proxy.bind proxy.tls_cert_file proxy.tls_key_file labels.keep labels.drop labels.hash labels.promote labels.rename labels.map bridge.session_label bridge.series_max bridge.streams_max bridge.stream_ttl bridge.durability bridge.journal_max bridge.retention bridge.zero_hold bridge.dedupe_window forward.remote_write forward.otlp forward.loki forward.queue_max' -d 'the key to get, set or unset'
complete -c cctm -n '__cctm_at config 2' -x -d 'what to set; a list as a,b or as [a, "b, c"]; null for none'

complete -c cctm -n __cctm_without_command -a report -d 'add up what Claude Code cost and did'
complete -c cctm -n '__cctm_at report' -l since -x -d 'beginning of the range: 7d, 2026-11-01, 2026-11-01T10:00, today, yesterday, week or month (default the last day of the range and the six before it)'
complete -c cctm -n '__cctm_at report' -l until -x -d 'end of the range, itself not in it'
complete -c cctm -n '__cctm_at report' -l by -x -a 'hour day week month model type session user team terminal project' -d 'what a row stands for'
complete -c cctm -n '__cctm_at report' -l tz -x -d 'time zone of days and times: Europe/Berlin, UTC or +02:00 (default the system\'s)'
complete -c cctm -n '__cctm_at report' -l csv -d 'print comma-separated values'
complete -c cctm -n '__cctm_at report' -l state -x -a '(__fish_complete_directories)' -d 'the bridge\'s state directory (default that of the stack which -C names, else the user\'s)'

complete -c cctm -n __cctm_without_command -a budget -d 'show what is spent of each budget, or set one'
complete -c cctm -n '__cctm_at budget' -l user -d 'set and unset: the budget of each user'
complete -c cctm -n '__cctm_at budget' -l team -d 'set and unset: the budget of each team'
complete -c cctm -n '__cctm_at budget' -l model -d 'set and unset: the budget of each model'
complete -c cctm -n '__cctm_at budget' -l dry-run -d 'set and unset: show what would change, as a diff, and change nothing'
complete -c cctm -n '__cctm_at budget 0' -x -a 'list set unset' -d 'list: each budget and what was spent of it (this is the default); set and unset: change one in cctm.yaml'
complete -c cctm -n '__cctm_at budget 1' -x -a 'daily weekly monthly' -d 'which budget'
complete -c cctm -n '__cctm_at budget 2' -x -d 'how much, for set'

complete -c cctm -n __cctm_without_command -a alerts -d 'list alerts, test that they arrive, silence one'
complete -c cctm -n '__cctm_at alerts' -l for -x -d 'silence: how long'
complete -c cctm -n '__cctm_at alerts' -l comment -x -d 'silence: why, for others to read'
complete -c cctm -n '__cctm_at alerts' -l remove -d 'silence: end the silences of that alert'
complete -c cctm -n '__cctm_at alerts' -l timeout -s t -x -d 'test: give up waiting for the delivery after this long'
complete -c cctm -n '__cctm_at alerts' -l dry-run -d 'silence: say what would be done, and do nothing'
complete -c cctm -n '__cctm_at alerts 0' -x -a 'list test silence' -d 'list: every rule with its state, and the silences (this is the default); test: send an alert the whole way; silence: tell nobody of one for a while'
complete -c cctm -n '__cctm_at alerts 1' -x -d 'the name of an alert, as list shows it'

complete -c cctm -n __cctm_without_command -a bridge -d 'run the embedded OTLP bridge in the foreground'
complete -c cctm -n '__cctm_at bridge' -l state -x -a '(__fish_complete_directories)' -d 'where journal and ledger are kept (default: bridge/ in the directory of -C when that holds a cctm.yaml, else in cctm\'s data directory)'
complete -c cctm -n '__cctm_at bridge' -l bind -x -d 'address to listen on'
complete -c cctm -n '__cctm_at bridge' -l otlp-http-port -x -d 'OTLP over HTTP; 0 takes a free port'
complete -c cctm -n '__cctm_at bridge' -l otlp-grpc-port -x -d 'OTLP over gRPC; either protocol is served at either port'
complete -c cctm -n '__cctm_at bridge' -l exporter-port -x -d 'Prometheus exposition at /metrics'
complete -c cctm -n '__cctm_at bridge' -l health-port -x -d 'health as JSON'
complete -c cctm -n '__cctm_at bridge' -l zpages-port -x -d 'a status page for people'
complete -c cctm -n '__cctm_at bridge' -l durability -x -a 'os disk' -d 'what an acknowledged request outlives: os, the death of the process; disk, the loss of power'
complete -c cctm -n '__cctm_at bridge' -l series-max -x -d 'series kept apart; once there are so many, a metric\'s new ones are added up in one'
complete -c cctm -n '__cctm_at bridge' -l streams-max -x -d 'cumulative streams remembered'
complete -c cctm -n '__cctm_at bridge' -l max-body -x -d 'largest request body, as received and inflated'
complete -c cctm -n '__cctm_at bridge' -l zero-hold -x -d 'how long a new series is shown as 0, so that increase() counts it whole; at least the scrape interval, 0 turns it off'
complete -c cctm -n '__cctm_at bridge' -l session-label -d 'give every series the label session_id'
complete -c cctm -n '__cctm_at bridge' -l retention -x -d 'how long history is kept'
complete -c cctm -n '__cctm_at bridge' -l cors-origins -x -d 'web origins that may send, separated by commas; * for any (default: none)'

complete -c cctm -n __cctm_without_command -a help -d 'explain cctm or one of its commands'
complete -c cctm -n '__cctm_at help 0' -x -a 'init up down restart status doctor probe logs open import-dashboard dashboards password backup restore upgrade env render config report budget alerts bridge help version completion catalogue' -d 'the command to explain; all of them in short when absent'

complete -c cctm -n __cctm_without_command -a version -d 'show the version of cctm and of its libraries'

complete -c cctm -n __cctm_without_command -a completion -d 'print a script that completes cctm\'s command line in a shell'
complete -c cctm -n '__cctm_at completion 0' -x -a 'bash zsh fish' -d 'the shell that will read the script'

complete -c cctm -n __cctm_without_command -a catalogue -d 'explain what Claude Code sends and which variables it reads'
complete -c cctm -n '__cctm_at catalogue 0' -x -a 'variable metric attribute event span' -d 'only variables, metrics, attributes, events or spans'
complete -c cctm -n '__cctm_at catalogue 1' -x -d 'only this one'
