//! The words that customers are made of. None needs quoting unless it says so.

/// Local parts of addresses.
pub(crate) const NAMES: [&str; 24] = [
    "ana", "bruno", "chen", "dora", "emil", "fatima", "giulia", "hugo", "ines", "jonas", "kofi", "lena",
    "marta", "nils", "olga", "pavel", "quentin", "rosa", "samir", "tove", "uma", "viktor", "wanda", "yusuf",
];

/// Mail hosts, all reserved for examples.
pub(crate) const HOSTS: [&str; 5] = [
    "example.com",
    "example.org",
    "mail.example.net",
    "shop-a.example.com",
    "uni.example.edu",
];

/// Loyalty tiers, the common ones more often.
pub(crate) const TIERS: [&str; 8] = [
    "Bronze", "Bronze", "Bronze", "Bronze", "Silver", "Silver", "Gold", "Platinum",
];

/// Cities; those with a comma come quoted.
pub(crate) const CITIES: [&str; 32] = [
    "Málaga",
    "Madrid",
    "São Paulo",
    "München",
    "Köln",
    "Zürich",
    "Århus",
    "Łódź",
    "Kraków",
    "Genève",
    "Besançon",
    "Lisboa",
    "Porto",
    "Paris",
    "Lyon",
    "Roma",
    "Torino",
    "Αθήνα",
    "Київ",
    "東京",
    "서울",
    "İzmir",
    "Tel Aviv",
    "London",
    "Leeds",
    "Cork",
    "\"Washington, DC\"",
    "\"Portland, OR\"",
    "New York",
    "Montréal",
    "Sydney",
    "Perth",
];

/// Words of notes: accents, letters beyond the basic plane, and marks that only look like emoji.
pub(crate) const NOTE_WORDS: [&str; 40] = [
    "prefers",
    "morning",
    "delivery",
    "café",
    "crème",
    "brûlée",
    "señal",
    "piñata",
    "größe",
    "straße",
    "fjällräv",
    "coffee",
    "tea",
    "size",
    "42",
    "#1",
    "©",
    "®",
    "gift",
    "wrapped",
    "call",
    "before",
    "noon",
    "no",
    "nuts",
    "oat",
    "milk",
    "blue",
    "green",
    "𠮷野家",
    "ελιά",
    "борщ",
    "naïve",
    "déjà",
    "vu",
    "loyal",
    "since",
    "school",
    "très",
    "bien",
];

/// Segments and regions of the customer base.
pub(crate) const SEGMENTS: [&str; 6] = ["new", "active", "loyal", "sleeping", "lost", "won back"];
pub(crate) const REGIONS: [&str; 8] = [
    "north",
    "south",
    "east",
    "west",
    "Île-de-France",
    "Südtirol",
    "Cataluña",
    "overseas",
];
