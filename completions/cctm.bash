# bash completion for cctm, made by 'cctm completion bash'.

# Sets options to those of the command $1.
_cctm_options()
{
	options=' -C --dir --json -q --quiet -v --verbose --color -h --help --version'
	case $1 in
	init) options+=' --runtime --profile --set --templates --auto-ports -n --dry-run --force --adopt -y --yes' ;;
	up) options+=' --wait --no-wait --timeout --pull --build-only --systemd --env --keep-on-failure' ;;
	down) options+=' --volumes -y --yes' ;;
	restart) options+=' --timeout' ;;
	status) options+=' -w --watch --usage --no-usage' ;;
	doctor) options+=' --check --group --list --explain --watch --prompt --fix -y --yes --report' ;;
	probe) options+=' --protocol --timeout' ;;
	logs) options+=' -f --follow --since -n --tail --grep --errors' ;;
	open) options+=' --print' ;;
	import-dashboard) options+=' --all --folder --datasource --uid --overwrite -n --dry-run --diff --grafana-url --user --password-file --token-file --ca --org' ;;
	dashboards) options+=' -o --output -y --yes --strict' ;;
	password) options+=' --rotate' ;;
	backup) options+=' -o --output --include --exclude --secrets --no-secrets --compression --keep-last --keep-daily --keep-weekly --keep-monthly --daily --at --remove -n --dry-run' ;;
	restore) options+=' --to --only -n --dry-run -y --yes --safety-backup --no-safety-backup --start --no-start' ;;
	upgrade) options+=' --check -n --dry-run --timeout --pull --backup --no-backup' ;;
	env) options+=' --shell --protocol --interval --host --team --department --cost-center --attribute --prompts --tool-details --traces --cumulative --delta --check --pid --wait --apply --remove --scope --managed --print --force -n --dry-run' ;;
	render) options+=' --diff --check --stdout --templates' ;;
	config) options+=' --dry-run' ;;
	report) options+=' --since --until --by --tz --csv --state' ;;
	budget) options+=' --user --team --model --dry-run' ;;
	alerts) options+=' --for --comment --remove -t --timeout --dry-run' ;;
	bridge) options+=' --state --bind --otlp-http-port --otlp-grpc-port --exporter-port --health-port --zpages-port --durability --series-max --streams-max --max-body --zero-hold --session-label --retention --cors-origins' ;;
	help) options+='' ;;
	version) options+='' ;;
	completion) options+='' ;;
	catalogue) options+='' ;;
	esac
}

# Sets kind to what the option $2 of the command $1 takes; false: it takes no value.
_cctm_value()
{
	case "$1 $2" in
	init' --runtime') kind='words docker embedded auto' ;;
	init' --profile') kind='words local team' ;;
	init' --set') kind= ;;
	init' --templates') kind=directories ;;
	init' --adopt') kind=directories ;;
	up' --timeout') kind= ;;
	up' --pull') kind='words missing always never' ;;
	restart' --timeout') kind= ;;
	doctor' --check') kind= ;;
	doctor' --group') kind='words machine configuration claude-code receiver prometheus grafana totals' ;;
	doctor' --explain') kind= ;;
	doctor' --report') kind=files ;;
	probe' --protocol') kind='words http/protobuf http/json grpc events' ;;
	probe' --timeout') kind= ;;
	logs' --since') kind= ;;
	logs' -n' | logs' --tail') kind= ;;
	logs' --grep') kind= ;;
	import-dashboard' --folder') kind= ;;
	import-dashboard' --datasource') kind= ;;
	import-dashboard' --uid') kind= ;;
	import-dashboard' --grafana-url') kind= ;;
	import-dashboard' --user') kind= ;;
	import-dashboard' --password-file') kind=files ;;
	import-dashboard' --token-file') kind=files ;;
	import-dashboard' --ca') kind=files ;;
	import-dashboard' --org') kind= ;;
	dashboards' -o' | dashboards' --output') kind=files ;;
	backup' -o' | backup' --output') kind=files ;;
	backup' --include') kind= ;;
	backup' --exclude') kind= ;;
	backup' --compression') kind='words zstd gzip' ;;
	backup' --keep-last') kind= ;;
	backup' --keep-daily') kind= ;;
	backup' --keep-weekly') kind= ;;
	backup' --keep-monthly') kind= ;;
	backup' --at') kind= ;;
	restore' --to') kind=directories ;;
	restore' --only') kind= ;;
	upgrade' --timeout') kind= ;;
	upgrade' --pull') kind='words missing always never' ;;
	env' --shell') kind='words bash zsh fish powershell dotenv' ;;
	env' --protocol') kind='words http/protobuf http/json grpc' ;;
	env' --interval') kind= ;;
	env' --host') kind= ;;
	env' --team') kind= ;;
	env' --department') kind= ;;
	env' --cost-center') kind= ;;
	env' --attribute') kind= ;;
	env' --pid') kind= ;;
	env' --scope') kind='words user project local managed shell' ;;
	render' --stdout') kind=files ;;
	render' --templates') kind=directories ;;
	report' --since') kind= ;;
	report' --until') kind= ;;
	report' --by') kind='words hour day week month model type session user team terminal project' ;;
	report' --tz') kind= ;;
	report' --state') kind=directories ;;
	alerts' --for') kind= ;;
	alerts' --comment') kind= ;;
	alerts' -t' | alerts' --timeout') kind= ;;
	bridge' --state') kind=directories ;;
	bridge' --bind') kind= ;;
	bridge' --otlp-http-port') kind= ;;
	bridge' --otlp-grpc-port') kind= ;;
	bridge' --exporter-port') kind= ;;
	bridge' --health-port') kind= ;;
	bridge' --zpages-port') kind= ;;
	bridge' --durability') kind='words os disk' ;;
	bridge' --series-max') kind= ;;
	bridge' --streams-max') kind= ;;
	bridge' --max-body') kind= ;;
	bridge' --zero-hold') kind= ;;
	bridge' --retention') kind= ;;
	bridge' --cors-origins') kind= ;;
	*' -C' | *' --dir') kind=directories ;;
	*' --color') kind='words auto always never' ;;
	*) return 1 ;;
	esac
}

# Sets kind to what the argument at position $2 of the command $1 may be.
_cctm_argument()
{
	case "$1 $2" in
	' '*) kind='words init up down restart status doctor probe logs open import-dashboard dashboards password backup restore upgrade env render config report budget alerts bridge help version completion catalogue' ;;
	'init '0) kind=directories ;;
	'restart '*) kind= ;;
	'logs '*) kind= ;;
	'open '0) kind='words grafana prometheus status' ;;
	'import-dashboard '*) kind= ;;
	'dashboards '0) kind='words list export diff delete lint' ;;
	'dashboards '*) kind= ;;
	'password '0) kind='words grafana otlp' ;;
	'backup '0) kind='words create list verify prune schedule' ;;
	'backup '1) kind=files ;;
	'restore '0) kind=files ;;
	'config '0) kind='words get set unset check sample version project runtime ingest profile bind time_zone ports.grafana ports.otlp_grpc ports.otlp_http ports.exporter ports.prometheus ports.health ports.zpages ports.loki ports.alertmanager ports.proxy images.collector images.prometheus images.grafana images.loki images.alertmanager images.proxy images.bridge storage data.prometheus data.grafana data.loki data.alertmanager data.proxy data.bridge otlp.auth otlp.cors_origins otlp.max_body otlp.token_file otlp.tls_cert_file otlp.tls_key_file otlp.tls_client_ca_file collector.batch_timeout collector.batch_size collector.debug collector.max_stale collector.expiration collector.export prometheus.retention_time prometheus.retention_size prometheus.scrape_interval prometheus.lookback prometheus.admin_api prometheus.query_timeout prometheus.query_concurrency prometheus.remote_write grafana.admin_user grafana.plugins grafana.root_url grafana.anonymous events.store budgets.daily_usd budgets.weekly_usd budgets.monthly_usd budgets.per_user.daily_usd budgets.per_user.weekly_usd budgets.per_user.monthly_usd budgets.per_team.daily_usd budgets.per_team.weekly_usd budgets.per_team.monthly_usd budgets.per_model.daily_usd budgets.per_model.weekly_usd budgets.per_model.monthly_usd alerts.alertmanager alerts.no_data_after alerts.webhook_url_file alerts.slack_url_file alerts.command alerts.email_to alerts.email_from alerts.smtp_host limits.collector.cpus limits.collector.memory limits.bridge.cpus limits.bridge.memory limits.prometheus.cpus limits.prometheus.memory limits.grafana.cpus limits.grafana.memory limits.loki.cpus limits.loki.memory limits.alertmanager.cpus limits.alertmanager.memory limits.proxy.cpus limits.proxy.memory proxy.host proxy.bind proxy.tls_cert_file proxy.tls_key_file labels.keep labels.drop labels.hash labels.promote labels.rename labels.map bridge.session_label bridge.series_max bridge.streams_max bridge.stream_ttl bridge.durability bridge.journal_max bridge.retention bridge.zero_hold bridge.dedupe_window forward.remote_write forward.otlp forward.loki forward.queue_max' ;;
	'config '1) kind='words version project runtime ingest profile bind time_zone ports.grafana ports.otlp_grpc ports.otlp_http ports.exporter ports.prometheus ports.health ports.zpages ports.loki ports.alertmanager ports.proxy images.collector images.prometheus images.grafana images.loki images.alertmanager images.proxy images.bridge storage data.prometheus data.grafana data.loki data.alertmanager data.proxy data.bridge otlp.auth otlp.cors_origins otlp.max_body otlp.token_file otlp.tls_cert_file otlp.tls_key_file otlp.tls_client_ca_file collector.batch_timeout collector.batch_size collector.debug collector.max_stale collector.expiration collector.export prometheus.retention_time prometheus.retention_size prometheus.scrape_interval prometheus.lookback prometheus.admin_api prometheus.query_timeout prometheus.query_concurrency prometheus.remote_write grafana.admin_user grafana.plugins grafana.root_url grafana.anonymous events.store budgets.daily_usd budgets.weekly_usd budgets.monthly_usd budgets.per_user.daily_usd budgets.per_user.weekly_usd budgets.per_user.monthly_usd budgets.per_team.daily_usd budgets.per_team.weekly_usd budgets.per_team.monthly_usd budgets.per_model.daily_usd budgets.per_model.weekly_usd budgets.per_model.monthly_usd alerts.alertmanager alerts.no_data_after alerts.webhook_url_file alerts.slack_url_file alerts.command alerts.email_to alerts.email_from alerts.smtp_host limits.collector.cpus limits.collector.memory limits.bridge.cpus limits.bridge.memory limits.prometheus.cpus limits.prometheus.memory limits.grafana.cpus limits.grafana.memory limits.loki.cpus limits.loki.memory limits.alertmanager.cpus limits.alertmanager.memory limits.proxy.cpus limits.proxy.memory proxy.host proxy.bind proxy.tls_cert_file proxy.tls_key_file labels.keep labels.drop labels.hash labels.promote labels.rename labels.map bridge.session_label bridge.series_max bridge.streams_max bridge.stream_ttl bridge.durability bridge.journal_max bridge.retention bridge.zero_hold bridge.dedupe_window forward.remote_write forward.otlp forward.loki forward.queue_max' ;;
	'config '2) kind= ;;
	'budget '0) kind='words list set unset' ;;
	'budget '1) kind='words daily weekly monthly' ;;
	'budget '2) kind= ;;
	'alerts '0) kind='words list test silence' ;;
	'alerts '1) kind= ;;
	'help '0) kind='words init up down restart status doctor probe logs open import-dashboard dashboards password backup restore upgrade env render config report budget alerts bridge help version completion catalogue' ;;
	'completion '0) kind='words bash zsh fish' ;;
	'catalogue '0) kind='words variable metric attribute event span' ;;
	'catalogue '1) kind= ;;
	esac
}

_cctm()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local command= kind= options= position=0 is_over= i
	COMPREPLY=()
	# bash hands out --name=value as three words.
	if [[ $cur == = ]]; then
		cur=
	elif [[ $prev == = ]]; then
		prev=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	for ((i = 1; i < COMP_CWORD; i++)); do
		case $is_over${COMP_WORDS[i]} in
		--) is_over=: ;;
		=) ((i++)) ;;
		-*)
			if _cctm_value "$command" "${COMP_WORDS[i]}" && [[ ${COMP_WORDS[i + 1]} != = ]]; then
				((i++))
			fi
			;;
		*)
			if [[ $command ]]; then
				((position++))
			else
				command=${COMP_WORDS[i]}
			fi
			;;
		esac
	done
	kind=
	if [[ $is_over ]] || ! _cctm_value "$command" "$prev"; then
		if [[ $cur == -* && ! $is_over ]]; then
			_cctm_options "$command"
			kind="words $options"
		else
			_cctm_argument "$command" "$position"
		fi
	fi
	case $kind in
	words*) mapfile -t COMPREPLY < <(compgen -W "${kind#words}" -- "$cur") ;;
	directories)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		;;
	files)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		;;
	esac
}

complete -F _cctm cctm
