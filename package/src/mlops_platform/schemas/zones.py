"""The time zones of Azure ML's schedules, which have the names that Windows gives them.

Source: https://learn.microsoft.com/azure/machine-learning/reference-yaml-schedule#appendix
"""

_STANDARD_TIME = """
AUS Central, AUS Eastern, Afghanistan, Alaskan, Aleutian, Altai, Arab, Arabian, Arabic,
Argentina, Astrakhan, Atlantic, Aus Central W., Azerbaijan, Azores, Bahia, Bangladesh, Belarus,
Bougainville, Canada Central, Cape Verde, Caucasus, Cen. Australia, Central, Central America,
Central Asia, Central Brazilian, Central Europe, Central European, Central Pacific, Chatham
Islands, China, Cuba, Dateline, E. Africa, E. Australia, E. Europe, E. South America, Easter
Island, Eastern, Egypt, Ekaterinburg, FLE, Fiji, GMT, GTB, Georgian, Greenland, Greenwich,
Haiti, Hawaiian, India, Iran, Israel, Jordan, Kaliningrad, Kamchatka, Korea, Libya, Line
Islands, Lord Howe, Magadan, Marquesas, Mauritius, Mid-Atlantic, Middle East, Montevideo,
Morocco, Mountain, Myanmar, N. Central Asia, Namibia, Nepal, New Zealand, Newfoundland, Norfolk,
North Asia, North Asia East, North Korea, Pacific, Pacific SA, Pakistan, Paraguay, Romance,
Russian, SA Eastern, SA Pacific, SA Western, SE Asia, Saint Pierre, Sakhalin, Samoa, Singapore,
South Africa, Sri Lanka, Syria, Taipei, Tasmania, Tocantins, Tokyo, Tomsk, Tonga, Transbaikal,
Turkey, Turks And Caicos, US Eastern, US Mountain, Ulaanbaatar, Venezuela, Vladivostok, W.
Australia, W. Central Africa, W. Europe, W. Mongolia, West Asia, West Bank, West Pacific,
Yakutsk
"""
_OTHERS = """
Central Standard Time (Mexico), Eastern Standard Time (Mexico), Mountain Standard Time (Mexico),
Pacific Standard Time (Mexico), Russia Time Zone 10, Russia Time Zone 11, Russia Time Zone 3,
UTC, UTC+12, UTC-02, UTC-08, UTC-09, UTC-11
"""
ZONES = [
    *(f"{name.strip()} Standard Time" for name in " ".join(_STANDARD_TIME.split()).split(",")),
    *(name.strip() for name in " ".join(_OTHERS.split()).split(",")),
]
