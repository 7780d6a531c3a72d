"""The words by which captions speak of ground, cover and sky. Patterns without anchors, letters of any case.

A topic is what a measure can speak to; several words of a topic are contradicted by the same measure.
"""

from __future__ import annotations

# Taken first, so that the words within them are no mention of their topic.
IDIOMS = "|".join(
    (
        r"\b(?:above|below|at|over|to|from|near) (?:the )?(?:mean )?sea[- ]level\b|\bsea[- ]level\b|\bm\.?a\.?s\.?l\b",
        r"\b(?:sea|ocean)s? of (?=\w)",
        r"\b(?:sea|ocean|snow|ice|forest|desert|night|moss)[- ](?:green|blue|white|like|sized|coloured|colored)\b",
        r"\b(?:inland|dead|caspian|aral|salton|black|north|red|baltic) seas?\b|\bsea of galilee\b",
        r"\bforests? of (?=\w)|\bcloud forests?\b|\bforest (?:fires?|roads?|tracks?|edges?)\b",
        r"\bpoint clouds?\b|\bcloud (?:computing|storage|shadows?)\b|\bmushroom cloud\b"
        r"|\bclouds? of (?:dust|smoke|steam|ash|sand|insects|birds)\b",
        r"\b(?:mountain|mountains|hills?|peaks?) of (?:waste|rubble|sand|salt|garbage|tailings|rubbish|coal|debris)\b",
        r"\bmountain (?:bik\w+|huts?|goats?)\b|\bhill[- ]?shad\w+\b|\bsheer (?:size|number|scale|amount)\b|"
        r"\bpeak (?:hours?|season|growth|traffic|flow|load)\b|\bat (?:its|their) peak\b",
        r"\bin plain (?:view|sight)\b|\bplain (?:to see|white|grey|gray|black|blue|green|brown|and simple|"
        r"background|text|"
        r"colou?r\w*|surface|concrete|roofs?|walls?|sand|language)\b",
        r"\bflat (?:roof\w*|light|tones?|colou?rs?|texture|lighting)\b|\bflat[- ](?:top|roof)\w*\b"
        r"|\b(?:mud|tidal|salt) ?flats?\b|\bflat (?:valley|bottom|floor)\w*\b|\bflats\b",
        r"\bice[- ](?:cream|rinks?|hockey|hall|stadium|age|ages)\b|\bsnow (?:guns?|fences?|geese|leopards?)\b"
        r"|\bfrozen (?:food|lava|dunes|in time)\b",
        r"\b(?:lava|boulder|sand|debris|oil|gas|playing|sports?|football|soccer|magnetic|depth|rock|rubble|block|salt|"
        r"coal|gravity) ?fields?\b|\bfields? of (?:view|vision|(?=dunes|lava|boulders|snow|ice))",
        r"\b(?:wind|solar|fish|server|oyster|tank|salmon|shrimp|turbine) ?farms?\b",
        r"\bradar (?:stations?|domes?|dishes|towers?|installations?|antennas?)\b",
        r"\bdesert islands?\b|\bcoast(?:ing|ed)\b|\bnight[- ](?:clubs?|life)\b|\bcity[- ]sized\b|\burban legend\b"
        r"|\bhigh[- ]altitude (?:images?|imagery|views?|photo\w*|shots?|aerial|picture|satellite|platform)\b",
        r"\bclear(?:ly|ed|ing|ings|[- ]cut\w*)\b|\bsteep (?:learning|price)\w*\b",
    )
)

# Words that deny their topic by themselves.
DENIALS = {
    "sea": r"landlocked",
    "water": r"waterless",
    "cloud": r"cloudless|cloud[- ]free|un?clouded|"
    r"clear (?:blue )?sk(?:y|ies)|sk(?:y|ies) (?:is|are) clear|blue sk(?:y|ies)",
    "fog": r"fog[- ]free|haze[- ]free|(?:crystal[- ]|perfectly |very )?clear (?:air|weather|day|days|conditions|"
    r"visibility|atmosphere|view)",
    "snow": r"snow[- ]?free|ice[- ]?free|snowless",
    "forest": r"treeless|deforested",
    "plants": r"unvegetated|vegetation[- ]free|plantless",
    "night": r"day ?light|day[- ]?time|sunny|sun[- ]?lit|sunshine|in full sun|bright day|broad day|midday|"
    "noon(?:time)?|"
    r"by day",
}

TOPICS = {
    "sea": r"seas?|oceans?|seashores?|seasides?|seafronts?|seawater|seacoasts?|coasts?|coastlines?|coastal|offshore|"
    r"fjords?|gulfs?|atolls?|coral reefs?|beach(?:es)?|archipelagos?|archipelagoes|surf|tidal \w+|estuar(?:y|ies)",
    "water": r"water bod(?:y|ies)|waters?|bod(?:y|ies) of water",
    "lake": r"lakes?|reservoirs?|lakeshores?",
    "cliff": r"cliffs?|gorges?|canyons?|ravines?|precipices?|escarpments?",
    "highland": r"(?:high|alpine|mountain) plateaus?|high plateaux|highlands?|uplands?|high[- ]altitude|"
    "high altitudes?|"
    r"high elevations?",
    "mountain": r"mountains?|mountainous|mountainsides?|mountaintops?|peaks?|summits?|alpine|alps|massifs?|"
    "volcano(?:es|s)?"
    r"|crags?",
    "foothill": r"foothills?",
    "hill": r"hills?|hilly|hillsides?|hillocks?|hilltops?|knolls?|rolling(?= (?:terrain|ground|countr\w+|landscapes?|"
    r"relief|farmland|fields|meadows|pastures?))",
    "lowland": r"lowlands?|low[- ]lying",
    "plain": r"plains?|flat|flatlands?|level (?:ground|terrain|land|surface|landscape)|prairies?|steppes?",
    "steep": r"steep|steeply|steepest|precipitous|sheer|rugged",
    "gentle": r"gentle(?=(?: \w+)? (?:slopes?|inclines?|relief|hills|gradients?))|gently(?=(?: \w+)? (?:sloping|"
    r"undulating|rolling|inclined|rising|slopes?))|barely noticeable slopes?|hardly any slope",
    "snow": r"snow[- ](?:covered|capped|clad|bound|dusted)|snow ?fields?|snowcaps?|snowpack|snowdrifts?|snowy|snows?|"
    r"ice[- ]covered|ice ?fields?|ice (?:sheets?|caps?|floes?)|icebergs?|icy|ice|glaciers?|frozen|wintry|blizzard",
    "forest": r"forests?|forested|woodlands?|wooded|woods|jungles?|rain ?forests?|taiga|tree[- ]covered|tree cover|"
    r"dense trees|covered (?:in|with|by) trees|(?:tree )?canop(?:y|ies)|conifers|evergreens",
    "lush": r"lush|verdant|greenery|green(?=(?:[- ]\w+)? (?:vegetation|landscapes?|meadows?|pastures?|hills?|"
    r"hillsides?|slopes?|cover|valleys?|plains?|fields?|grass\w*|crops|carpet))|(?:dense|thick|rich|abundant|luxuriant|heavy)"
    r"(?: green| tropical)? vegetation|(?:densely|heavily|thickly|richly|fully|well)[- ]vegetated|covered (?:in|"
    r"with|by) (?:\w+ )?vegetation|vegetation[- ]covered|vegetation is dense|"
    r"dense\w* covered with vegetation",
    "sparse": r"sparse vegetation|sparsely vegetated|vegetation is sparse|little vegetation|scant vegetation|"
    r"scarce vegetation",
    "bare": r"barren|bare(?=[ ,.](?:\s?)(?:\w+ )?(?:ground|rocks?|soils?|land|earth|slopes?|hills?|mountains?|surface|"
    r"terrain|peaks|ridges|brown|sand))|lifeless|denuded|(?:is|are|lies|lie) bare|wasteland",
    "plants": r"vegetation|plants|plant life|plant cover|greenery",
    "desert": r"dune fields?|deserts?|dunes?|hyper-arid|arid|sahara\w*|sandy wastes?|parched|ergs?",
    "night": r"night[- ]?time|nights?|nocturnal|nightfall|darkness|city lights|moonlit|moonlight|midnight|"
    r"in the dark|street ?lights",
    "city": r"cit(?:y|ies)|megacit(?:y|ies)|urban(?:ized|ised)?|metropolis|metropolitan|downtown|skyscrapers?|"
    r"high[- ]rises?|tower blocks?|built[- ]up|city ?scapes?|dense(?:ly)? (?:packed |populated |built )*"
    r"(?:buildings|housing|houses|neighbou?rhoods?|areas?|settlements?|suburbs?|blocks?)|business districts?|"
    r"industrial (?:zone|area|district|estate|park|complex)s?",
    "town": r"towns?|villages?|houses|residential(?: \w+)?|suburbs?|suburban|buildings|settlements?",
    "farmland": r"farmlands?|farms?|farming|fields?|crops?|croplands?|agricultur\w+|padd(?:y|ies)|cultivated|orchards?|"
    r"vineyards?|plantations?|arable|plough\w*|plowed|pivot irrigation",
    "cloud": r"cloud (?:cover|deck|banks?)|clouds?|cloudy|overcast|clouded|cumulus",
    "fog": r"fog banks?|fog|foggy|mist|misty|haze|hazy|smog",
}
