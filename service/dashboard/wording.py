"""The board's words in English and Chinese, and which of the two a reader gets."""

from collections.abc import Callable

LANGUAGES = ("en", "zh")
HTML_LANGUAGES = {"en": "en", "zh": "zh-CN"}


def words_in(language: str) -> dict[str, Callable[..., str]]:
    """Functions from a key to its text in one language.

    `word` takes the values to be filled in, word("age", n=3). `known` gives the word for a value of the
    data where there is one, else the value itself.
    """
    index = LANGUAGES.index(language)

    def word(key: str, **values: object) -> str:
        text = CATALOGUE[key][index]
        return text.format(**values) if values else text

    def known(value: str) -> str:
        return CATALOGUE.get(f"value.{value}", (value, value))[index]

    return {"word": word, "known": known}


def preferred(accept_language: str) -> str:
    """The first of LANGUAGES by the weights of an Accept-Language header; English for any other."""
    best, best_weight = LANGUAGES[0], 0.0
    for item in accept_language.split(","):
        tag, _, parameter = item.partition(";")
        language = tag.strip().lower().partition("-")[0]
        weight = _weight(parameter)
        if language in LANGUAGES and weight > best_weight:
            best, best_weight = language, weight
    return best


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    try:
        return float(value) if name == "q" else 1.0
    except ValueError:
        return 0.0


CATALOGUE: dict[str, tuple[str, str]] = {
    "title": ("Parallel operations", "并行业务运营"),
    "board": ("Duty board", "值班看板"),
    "skip": ("Skip to the figures", "跳到指标"),
    "language": ("Language", "语言"),
    "theme": ("Colours", "配色"),
    "theme.auto": ("Auto", "自动"),
    "theme.light": ("Light", "浅色"),
    "theme.dark": ("Dark", "深色"),
    "sign_out": ("Sign out", "退出登录"),
    "state": ("Overall state", "总体状态"),
    "state.ok": ("OK", "正常"),
    "state.warning": ("Warning", "警告"),
    "state.critical": ("Critical", "严重"),
    "state.degraded": ("Degraded", "降级"),
    "state.stale": ("Stale", "数据过期"),
    "state.ok.why": ("No rate is past its limit.", "没有比率越限。"),
    "state.unknown": ("{n} of {all} rates have no data.", "{all} 项比率中有 {n} 项无数据。"),
    "state.warning.why": ("{n} of {all} rates past their limit.", "{all} 项比率中有 {n} 项越限。"),
    "state.critical.why": ("{n} of {all} rates past their limit.", "{all} 项比率中有 {n} 项越限。"),
    "state.degraded.why": ("Some figures could not be had: {parts}.", "部分数据无法获取：{parts}。"),
    "state.stale.why": (
        "These figures are old: nothing newer than {time} could be had.",
        "以下数据已过期：{time} 之后的数据无法获取。",
    ),
    "as_of": ("Figures as of", "数据时间"),
    "refreshed_every": ("refreshed every {n} s", "每 {n} 秒刷新"),
    "problem.unreachable": (
        "The board has not been refreshed since {time}: the service cannot be reached. Trying again.",
        "自 {time} 起看板未能刷新：无法连接服务。正在重试。",
    ),
    "problem.refused": (
        "The board has not been refreshed since {time}: the service has no answer. Trying again.",
        "自 {time} 起看板未能刷新：服务暂时无法应答。正在重试。",
    ),
    "problem.signed_out": (
        "The board has not been refreshed since {time}: your sign-in has ended. Reload to sign in again.",
        "自 {time} 起看板未能刷新：登录已失效。请重新加载并登录。",
    ),
    "window": ("Window", "时间窗口"),
    "window.days": ("{n} d", "{n} 天"),
    "window.since": ("since {time}", "自 {time} 起"),
    "filters": ("Filters", "筛选"),
    "site_id": ("Site", "站点"),
    "target_object": ("Target object", "目标对象"),
    "template_key": ("Template key", "模板"),
    "any": ("all", "全部"),
    "apply": ("Apply", "应用"),
    "clear": ("Clear filters", "清除筛选"),
    "alerts": ("Alerts", "告警"),
    "alerts.none": ("No alerts: no rate is past its limit.", "无告警：没有比率越限。"),
    "alerts.unknown": (
        "No alerts among the rates that have data: {n} of {all} have none.",
        "有数据的比率均无告警：{all} 项中有 {n} 项无数据。",
    ),
    "alert.above": ("limit {limit}", "上限 {limit}"),
    "alert.below": ("at least {limit}", "下限 {limit}"),
    "alert.look": ("See what is behind it", "查看详情"),
    "alert.overlay_cache_hit_rate_low": ("Overlay cache hit rate is low", "叠加缓存命中率偏低"),
    "alert.doc_sync_dead_letter_rate_high": ("Document sync dead letters", "文档同步死信率过高"),
    "alert.workflow_action_failed_rate_high": ("Workflow actions failing", "工作流动作失败率过高"),
    "alert.breakage_open_rate_high": ("Open breakages", "未关闭故障占比过高"),
    "level.warn": ("Warning", "警告"),
    "level.critical": ("Critical", "严重"),
    "level.ok": ("Within its limit", "正常"),
    "level.none": ("No limit", "无限值"),
    "level.no_data": ("No data", "无数据"),
    "level.degraded": ("Not available", "不可用"),
    "panels": ("Figures", "指标"),
    "doc_sync": ("Document sync", "文档同步"),
    "workflow_actions": ("Workflow actions", "工作流动作"),
    "breakages": ("Breakages", "质量故障"),
    "consumption_templates": ("Consumption templates", "消耗模板"),
    "overlay_cache": ("3D overlay cache", "三维叠加缓存"),
    "dead_letter_rate": ("dead-letter rate", "死信率"),
    "failed_rate": ("failed", "失败率"),
    "open_rate": ("open", "未关闭"),
    "templates_total": ("templates", "个模板"),
    "hit_rate": ("hit rate", "命中率"),
    "total.doc_sync": ("Jobs", "任务数"),
    "total.workflow_actions": ("Runs", "执行次数"),
    "total.breakages": ("Incidents", "事件数"),
    "success_rate": ("Completed", "完成率"),
    "dead_letter_total": ("Dead letters", "死信数"),
    "avg_attempt_count": ("Attempts a job", "平均尝试次数"),
    "warning_rate": ("Warnings", "警告率"),
    "failed_total": ("Failed", "失败"),
    "open_total": ("Open", "未关闭"),
    "repeated_total": ("Repeated", "重复发生"),
    "repeated_rate": ("Repeated share", "重复占比"),
    "versions_total": ("Versions", "版本数"),
    "active_versions_total": ("Active versions", "生效版本"),
    "requests": ("Lookups", "查询次数"),
    "hits": ("Hits", "命中"),
    "misses": ("Misses", "未命中"),
    "evictions": ("Evictions", "淘汰"),
    "entries": ("Entries now", "当前条目"),
    "max_entries": ("Most entries", "条目上限"),
    "ttl_seconds": ("Kept for (s)", "保留（秒）"),
    "by_status": ("By status", "按状态"),
    "by_result_code": ("By result code", "按结果码"),
    "by_severity": ("By severity", "按严重程度"),
    "by_responsibility": ("By responsibility", "按责任方"),
    "by_activity": ("Templates by active versions", "按生效版本数"),
    "by_lookup": ("By lookup", "按查询结果"),
    "others": ("{n} others", "其他 {n} 项"),
    "more": ("More", "更多"),
    "invalid_active_templates": ("Two or more active versions", "多个生效版本"),
    "templates_without_active": ("No active version", "无生效版本"),
    "one_active": ("One active version", "一个生效版本"),
    "all_time": ("Of all time: templates have no window.", "累计数据：模板不受时间窗口限制。"),
    "one_figure": ("One figure for the window: no daily course is kept.", "窗口合计值：不保留每日走势。"),
    "no_overlay": (
        "The counters cannot be read from Redis.",
        "无法从 Redis 读取计数。",
    ),
    "trend": ("Trend", "走势"),
    "trend.by": ("Trend by", "走势粒度"),
    "trend.each": ("a point each {n} d", "每点 {n} 天"),
    "trend.each.1": ("a point a day", "每点 1 天"),
    "trend.partial": ("the last point spans {n} of {of} days", "最后一点仅含 {n}/{of} 天"),
    "trend.gap": ("no data in {n} of {of}", "{of} 点中有 {n} 点无数据"),
    "trend.summary": (
        "{title}: {name} in {n} points from {since} to {until}; lowest {low}, highest {high}, newest {last}.",
        "{title}：{name}，{since} 至 {until} 共 {n} 点；最低 {low}，最高 {high}，最新 {last}。",
    ),
    "trend.table": ("As a table", "以表格查看"),
    "from": ("From (UTC)", "起始（UTC）"),
    "partial": ("partial", "不完整"),
    "no_data": ("no data", "无数据"),
    "share": ("Share", "占比"),
    "count": ("Count", "数量"),
    "failures.jobs": ("Failed document syncs", "失败的文档同步"),
    "failures.runs": ("Failed workflow actions", "失败的工作流动作"),
    "failures.none": ("Nothing failed in this window.", "该窗口内没有失败记录。"),
    "failures.past": ("There is nothing on this page.", "此页没有内容。"),
    "failures.unavailable": ("The list could not be read just now.", "暂时无法读取列表。"),
    "created_at": ("Created (UTC)", "创建时间（UTC）"),
    "id": ("Id", "编号"),
    "task_type": ("Task", "任务类型"),
    "attempts": ("Attempts", "尝试次数"),
    "last_error": ("Error", "错误信息"),
    "rule_id": ("Rule", "规则"),
    "transition": ("Transition", "状态变更"),
    "result_code": ("Result code", "结果码"),
    "error.rest": ("The rest, as JSON", "完整内容（JSON）"),
    "page": ("Page {page} of {pages} · {total} in all", "第 {page}/{pages} 页 · 共 {total} 条"),
    "page.newer": ("Newer", "较新"),
    "page.older": ("Older", "较早"),
    "downloads": ("Download this summary", "下载此汇总"),
    "sign_in": ("Sign in", "登录"),
    "sign_in.why": (
        "The duty board needs the access token that you use for the PLM.",
        "查看值班看板需要您的 PLM 访问令牌。",
    ),
    "token": ("Access token", "访问令牌"),
    "token.bad": ("This token was not accepted: {reason}.", "该令牌未被接受：{reason}。"),
    "invalid": ("This address cannot be shown", "无法显示该地址"),
    "unavailable": ("No figures just now", "暂无数据"),
    "unavailable.why": (
        "The database does not answer and no recent figures are kept. This page keeps trying.",
        "数据库没有应答，也没有保留近期数据。本页每隔几秒自动重试。",
    ),
    "back": ("To the duty board", "返回值班看板"),
    "value.completed": ("completed", "已完成"),
    "value.failed": ("failed", "失败"),
    "value.pending": ("pending", "等待中"),
    "value.processing": ("processing", "处理中"),
    "value.cancelled": ("cancelled", "已取消"),
    "value.warning": ("warning", "警告"),
    "value.skipped": ("skipped", "已跳过"),
    "value.unknown": ("unknown", "未知"),
    "value.unassigned": ("unassigned", "未分配"),
    "value.open": ("open", "未关闭"),
    "value.closed": ("closed", "已关闭"),
    "value.resolved": ("resolved", "已解决"),
    "value.in_progress": ("in progress", "处理中"),
    "value.low": ("low", "低"),
    "value.medium": ("medium", "中"),
    "value.high": ("high", "高"),
    "value.critical": ("critical", "严重"),
}
