-- One row: one model of one client in the window: its largest request beside its context window.
-- Tokens; null where no price list names a window.
select
    requests.client,
    requests.model,
    count(*) as requests,
    max(requests.full_input_tokens) as largest_tokens,
    any_value(windows.context_tokens) as context_tokens
from requests
left join windows on windows.client = requests.client and windows.model = requests.model
group by requests.client, requests.model
order by requests.client, requests.model
