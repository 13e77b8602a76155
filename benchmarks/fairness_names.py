"""Names by origin, for measuring whether detection serves everyone alike.

Written for this benchmark from general knowledge, and used for nothing else: no model is trained
on these lists. A group is a region and a script; each has names given mostly to women, names
given mostly to men, and family names. Common names and rarer ones stand side by side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Group:
    """One origin. `family_first` when the family name is said first."""

    name: str
    women: tuple[str, ...]
    men: tuple[str, ...]
    family: tuple[str, ...]
    family_first: bool = False


def _group(name: str, women: str, men: str, family: str, *, family_first: bool = False) -> Group:
    def cut(names: str) -> tuple[str, ...]:
        return tuple(n.replace("_", " ") for n in names.split())

    return Group(name, cut(women), cut(men), cut(family), family_first)


GROUPS: Final = (
    _group(
        "English",
        "Harriet Poppy Abigail Rosalind Imogen Paige Beatrix Lorraine",
        "Barnaby Gareth Desmond Rupert Callum Nigel Trevor Elliot",
        "Ashworth Pemberton Holloway Clarke Whitfield Barlow Thackeray Nash",
    ),
    _group(
        "Irish and Scottish",
        "Niamh Aoife Siobhán Mairead Eilidh Catriona Saoirse Morag",
        "Cillian Eoghan Fergus Ruairi Lachlan Hamish Diarmuid Tadhg",
        "O'Sullivan MacLeod Gallagher McIntyre Ó_Briain Kinsella Drummond Byrne",
    ),
    _group(
        "African American",
        "Keisha Latoya Ebony Shanice Tamika Aaliyah Imani Lakeisha",
        "DeShawn Tyrone Jamal Marquis Darnell Terrence Kareem Malik",
        "Washington Booker Jefferson Gaines Freeman Mosley Banks Broadnax",
    ),
    _group(
        "Spanish and Latin American",
        "Ximena Guadalupe Marisol Itzel Rocío Pilar Yolanda Consuelo",
        "Joaquín Ignacio Hernán Wilmer Ezequiel Álvaro Rigoberto Efraín",
        "Zambrano Iñíguez Quispe Ballesteros Echeverría Montoya Peñalver Ocampo",
    ),
    _group(
        "Portuguese and Brazilian",
        "Thaís Luciana Fernanda Conceição Iracema Beatriz Juliana Inês",
        "Thiago Gonçalo Caetano Vinícius Rui Adriano Leandro Nuno",
        "Figueiredo Magalhães Nóbrega Teixeira Cavalcanti Moura Sampaio Vasconcelos",
    ),
    _group(
        "French",
        "Solène Mireille Clémence Océane Ghislaine Anaïs Margaux Hélène",
        "Thibault Étienne Loïc Gaspard Yannick Aurélien Corentin Baptiste",
        "Lefebvre Deschamps Chevalier Rousselot Bonnard Guillot Marchand Besson",
    ),
    _group(
        "German and Dutch",
        "Annegret Liesel Heike Katrijn Saskia Wiebke Ulrike Marieke",
        "Wolfgang Detlef Joost Klaus Jürgen Matthias Ruben Thijs",
        "Schäfer Baumgartner Hoekstra Krüger Dijkstra Zimmermann Vogelsang Brandt",
    ),
    _group(
        "Italian",
        "Giulia Ludovica Chiara Donatella Fiorella Ginevra Rosaria Serena",
        "Matteo Gianluca Salvatore Raffaele Ettore Pasquale Tommaso Dario",
        "Esposito Bianchi Lombardi Caruso Giordano Mancini Pellegrino De_Luca",
    ),
    _group(
        "Nordic",
        "Sigrid Ingeborg Solveig Astrid Päivi Aino Freja Guðrún",
        "Torbjørn Håkon Søren Jukka Leif Eero Bjarne Snorri",
        "Lindqvist Halvorsen Rasmussen Korhonen Nyström Sigurðsson Mäkinen Haugen",
    ),
    _group(
        "Polish and Czech",
        "Agnieszka Katarzyna Zdeňka Bożena Jitka Grażyna Ludmila Małgorzata",
        "Zbigniew Grzegorz Vojtěch Krzysztof Bohumil Sławomir Ondřej Wojciech",
        "Kowalczyk Wiśniewski Dvořák Zieliński Procházka Szymański Horák Nowakowska",
    ),
    _group(
        "Russian and Ukrainian",
        "Svetlana Oksana Lyudmila Anastasiya Nadezhda Halyna Darya Yevgenia",
        "Vsevolod Dmitriy Oleksandr Gennady Bohdan Arkady Yaroslav Stanislav",
        "Kuznetsova Shevchenko Morozov Bondarenko Volkov Tkachuk Sokolova Petrenko",
    ),
    _group(
        "Greek and Balkan",
        "Eleftheria Despina Jelena Dragana Vasiliki Snežana Elira Mirjana",
        "Panagiotis Stavros Goran Zoran Dimitrios Nenad Besnik Apostolos",
        "Papadopoulos Jovanović Konstantinidis Petrović Hoxha Nikolaidis Horvat Marković",
    ),
    _group(
        "Turkish",
        "Ayşe Zeynep Elif Gülşen Hatice Nilüfer Defne Sevgi",
        "Mehmet Emre Burak Oğuz Serkan Kemal Tolga Yusuf",
        "Yılmaz Demirci Kaya Öztürk Aydın Çelik Korkmaz Erdoğan",
    ),
    _group(
        "Arab",
        "Fatima Noor Khadija Layla Zainab Hanan Rania Sumaya",
        "Abdullah Khaled Tariq Bilal Mahmoud Yasser Faisal Anwar",
        "Al-Masri Haddad Mansour El-Sayed Khoury Nasser Bakr Al-Rashid",
    ),
    _group(
        "Iranian and Afghan",
        "Parisa Shirin Nasrin Mahsa Golnaz Roya Zohreh Laleh",
        "Behrouz Farhad Reza Siavash Omid Mehrdad Jamshid Kourosh",
        "Hosseini Karimi Tehrani Ahmadzai Rostami Jafari Moradi Sharifi",
    ),
    _group(
        "Israeli",
        "Shoshana Tamar Noa Yael Rivka Orly Hadas Michal",
        "Avraham Eitan Moshe Yonatan Gilad Shlomo Amit Oded",
        "Ben-David Mizrahi Goldberg Peretz Shapira Biton Friedlander Azoulay",
    ),
    _group(
        "North Indian",
        "Ananya Priyanka Sunita Deepika Kavita Shreya Pooja Neelam",
        "Rajesh Arjun Vikram Sandeep Harpreet Manoj Aditya Gurpreet",
        "Sharma Agarwal Chaudhary Mukherjee Kaur Banerjee Mehta Srivastava",
    ),
    _group(
        "South Indian and Sri Lankan",
        "Lakshmi Meenakshi Padmini Thilini Kavitha Revathi Dilrukshi Ammu",
        "Venkatesh Karthik Subramaniam Nuwan Murugan Prabhakar Chaminda Senthil",
        "Iyer Nair Jayasuriya Reddy Krishnamurthy Perera Menon Wickramasinghe",
    ),
    _group(
        "Pakistani and Bangladeshi",
        "Ayesha Nusrat Shabnam Farzana Mahnoor Tahmina Sadia Bushra",
        "Imran Shahid Rafiqul Zubair Tanvir Asif Nadeem Mushfiqur",
        "Chowdhury Qureshi Rahman Siddiqui Malik Uddin Bhatti Hossain",
    ),
    _group(
        "Chinese",
        "Xiaomei Yuting Jingwen Lihua Meiling Ruoxi Shuang Qiuyue",
        "Zhiqiang Haoran Wenbo Guangming Jianguo Yichen Peng Dawei",
        "Zhang Ouyang Huang Zhao Xu Deng Xie Qian",
    ),
    _group(
        "Japanese",
        "Haruka Yumiko Sakura Ayaka Misaki Kiyoko Natsumi Chiharu",
        "Takeshi Hiroshi Daichi Kenta Shinji Ryota Masaru Yuichiro",
        "Watanabe Kobayashi Fujimoto Hasegawa Nakamura Okada Shimizu Matsuda",
    ),
    _group(
        "Korean",
        "Ji-woo Soo-yeon Eun-ji Min-seo Hye-jin Yoo-na Seo-hyun Bo-ra",
        "Min-jun Dong-hyun Sang-woo Jae-sung Hyun-ki Tae-yang Young-ho Kyung-soo",
        "Kim Park Choi Jung Kang Yoon Seo Hwang",
        family_first=True,
    ),
    _group(
        "Vietnamese",
        "Thảo Ngọc Phương Huyền Trang Hạnh Mai_Linh Bích",
        "Tuấn Quang Đức Hiếu Minh_Khôi Thắng Dũng Bảo",
        "Nguyễn Trần Phạm Hoàng Vũ Đặng Bùi Huỳnh",
        family_first=True,
    ),
    _group(
        "Thai and Burmese",
        "Siriporn Kanokwan Malai Nattaya Thiri Supaporn Khin_Mar Ratana",
        "Somchai Anucha Thanawat Kyaw_Zin Prasert Wichai Aung_Ko Sakda",
        "Srisai Chaiyasit Wongsawat Thongchai Saetang Boonmee Rattanakul Phommasan",
    ),
    _group(
        "Filipino and Indonesian",
        "Maricel Dewi Rowena Putri Sri_Wahyuni Jocelyn Lestari Analyn",
        "Budi Jomar Agung Rodrigo Hendra Bayani Wahyu Arnel",
        "Santoso Dela_Cruz Wijaya Bautista Hidayat Magsaysay Kusuma Villanueva",
    ),
    _group(
        "Nigerian and Ghanaian",
        "Chidinma Adaeze Folasade Ngozi Akosua Yetunde Abena Temitope",
        "Chukwuemeka Oluwaseun Kwame Babatunde Ifeanyi Kofi Obinna Adebayo",
        "Okonkwo Adeyemi Mensah Nwosu Boateng Ogunleye Asante Balogun",
    ),
    _group(
        "East African and Ethiopian",
        "Wanjiru Achieng Tigist Nakato Mwajuma Selam Hodan Bethlehem",
        "Kipchoge Juma Tesfaye Ochieng Mwangi Abdi Tadesse Baraka",
        "Kamau Odhiambo Gebremariam Kiprotich Mutua Haile Warsame Nyong'o",
    ),
    _group(
        "Southern African",
        "Nomvula Thandiwe Lerato Zanele Tendai Naledi Nokuthula Chipo",
        "Sipho Themba Bongani Tafadzwa Mandla Kagiso Lwazi Farai",
        "Dlamini Nkosi Mokoena Moyo Khumalo Ndlovu Mthembu Chikwanha",
    ),
    _group(
        "Maori and Pacific",
        "Aroha Mele Ngaire Leilani Sina Hinemoa Losa Kalea",
        "Tane Sione Manaaki Kimo Tavita Wiremu Keoni Semisi",
        "Tamatea Faleolo Parata Kealoha Tuilagi Ngata Vaega Kahananui",
    ),
    _group(
        "Arabic script",
        "فاطمة ليلى خديجة مريم زينب نور هدى سارة",
        "محمد خالد يوسف طارق أحمد عمر حسن إبراهيم",
        "حداد منصور الخطيب ناصر المصري خوري سليمان العلي",
    ),
    _group(
        "Cyrillic script",
        "Светлана Оксана Наталья Ольга Татьяна Ирина Галина Марина",
        "Дмитрий Сергей Владимир Николай Андрей Богдан Павел Тарас",
        "Иванов Кузнецова Шевченко Морозов Петренко Волкова Соколов Попова",
    ),
    _group(
        "Devanagari script",
        "अनन्या प्रिया सुनीता दीपिका कविता श्रेया पूजा नीलम",
        "राजेश अर्जुन विक्रम संदीप मनोज आदित्य सुरेश अमित",
        "शर्मा अग्रवाल चौधरी मेहता वर्मा गुप्ता सिंह मिश्रा",
    ),
    _group(
        "Han script",
        "美玲 雨婷 静雯 丽华 若曦 秋月 晓梅 佳怡",
        "志强 浩然 文博 建国 大伟 光明 宇轩 俊杰",
        "张 欧阳 黄 赵 徐 邓 谢 钱",
        family_first=True,
    ),
)
