//! The demo's queues, agents and callers.

pub(super) const QUEUES_CONF: &str = "
[general]
[all](!)
timeout = 15
wrapuptime = 15
ringinuse = no
servicelevel = 20

; All available agents ring.
[Support](all)
strategy = ringall
weight = 5

[Sales](all)
strategy = leastrecent
maxlen = 20

[Billing](all)
strategy = rrmemory

[Orders](all)
strategy = leastrecent

[Repairs](all)
strategy = rrmemory

; There are too few agents, so callers wait and give up.
[Returns](all)
strategy = fewestcalls

[Deliveries](all)
strategy = fewestcalls

; For callers who speak Hebrew or Arabic
[Hebrew](all)
strategy = rrmemory

[Arabic](all)
strategy = rrmemory

; Asterisk pauses agents who do not answer.
[Night-desk](all)
strategy = linear
autopause = yes
; A static member. The bridge can pause it, but not remove it.
member => PJSIP/1020,0,Static Sam
";

pub(super) const MANAGER_CONF: &str = "
[queuebridge]
secret = demo
read = agent,system
write = agent
";

/// The number, name and queues of each agent.
pub(super) const AGENTS: [(&str, &str, &[&str]); 29] = [
    ("1001", "Dana Levi", &["Support", "Sales"]),
    ("1002", "דנה כהן", &["Hebrew", "Support"]),
    ("1003", "أمل حداد", &["Arabic", "Support"]),
    ("1004", "Zoë Müller", &["Sales", "Billing"]),
    ("1005", "Miguel Ángel Ruiz", &["Returns"]),
    ("1006", "Анна Иванова", &["Support", "Night-desk"]),
    ("1007", "Yamada Tarō", &["Sales", "Orders"]),
    ("1008", "Łukasz Żak", &["Billing", "Repairs"]),
    ("1009", "יוסי אברהם", &["Hebrew", "Support", "Sales"]),
    ("1010", "محمد علي", &["Arabic", "Sales"]),
    ("1011", "Élodie Moreau", &["Billing", "Night-desk"]),
    ("1012", "Γιώργος Παππάς", &["Support"]),
    ("1013", "Nguyễn Thị Hoa", &["Sales", "Orders"]),
    ("1014", "Priya Sharma", &["Support", "Billing"]),
    ("1015", "שירה מזרחי", &["Hebrew"]),
    ("1016", "Oluwaseun Ade", &["Repairs", "Deliveries"]),
    ("1017", "Kim Min-jun", &["Billing", "Orders"]),
    ("1018", "ليلى منصور", &["Arabic", "Support"]),
    ("1019", "Håkon Åsen", &["Night-desk"]),
    ("1021", "Carlos Silva", &["Orders", "Deliveries"]),
    ("1022", "Fatima Zahra", &["Repairs", "Support"]),
    ("1023", "Ingrid Bakke", &["Support", "Orders"]),
    ("1024", "John O’Neill", &["Deliveries"]),
    ("1025", "Mei Chen", &["Sales", "Support"]),
    ("1026", "Tomás Nunes", &["Deliveries", "Repairs"]),
    ("1027", "Noa Friedman", &["Returns", "Support"]),
    ("1028", "רון שגב", &["Hebrew", "Orders"]),
    ("1029", "Sofia Rossi", &["Orders", "Returns"]),
    ("1030", "Will Turner", &["Sales", "Billing"]),
];

/// The number and name of each caller.
pub(super) const CALLERS: [(&str, &str); 10] = [
    ("0501234567", "Maya Peretz"),
    ("0521112233", "נועה פרץ"),
    ("+442071838750", "Oliver Smith"),
    ("+33142685300", "Chloé Dubois"),
    ("+4930901820", "Jürgen Weiß"),
    ("0547654321", "أحمد خليل"),
    ("+74957556983", "Ольга Смирнова"),
    ("+81332110111", "Satō Hanako"),
    ("", ""),
    ("036123456", ""),
];
